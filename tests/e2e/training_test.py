"""Whole trainings of a tiny model: same bits twice and over a resume, nothing lost, the faults said in one sentence."""

import http.client
import json
import math
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from plumb_case import PlumbCase
from tiny_model import read_tensors, write_tiny_model


def task(name, body, result, parameter="n"):
    cpp = f"int {name}(int {parameter}) {{\n  return {body};\n}}\n"
    python = f"def {name}({parameter}: int) -> int:\n    return {body}\n"
    return {"id": f"e2e/{name}", "description": f"returns {body}.", "split": "sft",
            "function": {"name": name, "parameters": [{"name": parameter, "type": "int"}], "returns": "int"},
            "references": {"python": python, "cpp": cpp},
            "tests": [{"args": [n], "result": result(n)} for n in (3, -2, 0, 11)]}


TASKS = [task("f", "n + 1", lambda n: n + 1), task("g", "n - 1", lambda n: n - 1)]
SMALL_RUN = {"grpo.prompts_per_step": 4, "grpo.group_size": 4, "grpo.min_code_prompts": 4, "grpo.steps": 4,
             "grpo.learning_rate": 1e-3, "grpo.warmup_steps": 1, "sampling.max_new_tokens": 64, "grpo.saved_groups": 4,
             "reward_audit.prompts": 0}


def overrides(settings):
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


class Training(PlumbCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="plumb_e2e_model_")
        cls.addClassCleanup(scratch.cleanup)
        cls.models = pathlib.Path(scratch.name)
        (cls.models / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TASKS))
        write_tiny_model(cls.models / "random")
        # Far enough that some completions are right and some are not.
        subprocess.run([os.environ["PLUMB_BINARY"], "sft", "--model", cls.models / "random", "--data",
                        cls.models / "tasks.jsonl", "--out", cls.models / "warm",
                        *overrides({"sft.learning_rate": 5e-3, "sft.max_epochs": 25, "sft.batch_size": 4,
                                    "model.dtype": "f32"})],
                       check=True, capture_output=True, timeout=120)

    def command(self, out, *more, model="warm/policy", **settings):
        settings = SMALL_RUN | {key.replace("__", "."): value for key, value in settings.items()}
        return ["grpo", "--model", self.models / model, "--data", self.models / "tasks.jsonl", "--out", out,
                *overrides(settings), *more]

    def train(self, out, *more, **settings):
        result = self.plumb(*self.command(out, *more, **settings))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def metrics(self, run):
        return [json.loads(line) for line in (self.folder / run / "metrics.jsonl").read_text().splitlines()]

    def assert_same_run(self, one, other):
        for name in ("metrics.jsonl", "policy/model.safetensors", "samples.jsonl"):
            self.assertEqual((self.folder / one / name).read_bytes(), (self.folder / other / name).read_bytes(), name)

    def test_same_seed_same_bits_whatever_the_threads(self):
        for dtype in ("f32", "bf16"):
            with self.subTest(dtype):
                self.train(f"{dtype}-a", model__dtype=dtype, model__threads=1)
                self.train(f"{dtype}-b", model__dtype=dtype, model__threads=4, sampling__max_batch=5)
                self.assert_same_run(f"{dtype}-a", f"{dtype}-b")
                rows = self.metrics(f"{dtype}-a")
                self.assertEqual([row["step"] for row in rows], [1, 2, 3, 4])
                self.assertTrue(any(row["frac_reward_zero_std"] < 1 for row in rows), "nothing was learned from")
                self.assertTrue(all(row["ratio/max_abs_dev"] == 0 for row in rows))
                report = (self.folder / f"{dtype}-a" / "report.html").read_text()
                self.assertNotIn("<script", report)
        self.train("other-seed", run__seed=2)
        self.assertNotEqual((self.folder / "f32-a/metrics.jsonl").read_bytes(),
                            (self.folder / "other-seed/metrics.jsonl").read_bytes())

    def test_a_reward_model_of_ones_own_rollouts_drives(self):
        self.train("rollouts", grpo__steps=2)
        for command in (["data", "rm-from-rollouts", "rollouts", "--out", "pairs.jsonl"],
                        ["reward-model", "--model", self.models / "warm/policy", "--pairs", "pairs.jsonl", "--out", "rm",
                         *overrides({"rm.good": "Y", "rm.bad": "N", "rm.dev_share": 0, "rm.learning_rate": 1e-3})]):
            result = self.plumb(*command)
            self.assertEqual(result.returncode, 0, result.stderr)
        drives = {"reward__code_signal": "rm", "reward__reward_model": "rm"}
        self.train("rm-a", model__threads=1, **drives)
        self.train("rm-b", model__threads=4, **drives)
        self.assert_same_run("rm-a", "rm-b")
        for row in self.metrics("rm-a"):
            self.assertEqual(row["reward/proxy"], row["reward"])  # code alone, and nothing but the model
            self.assertEqual(row["reward/rm/mean"], row["reward"])
            self.assertEqual(row["reward/gold"], row["reward/tests/mean"])
            self.assertTrue(0 < row["reward/proxy"] < 1)
        self.train("mix", reward__code_signal="mix", reward__reward_model="rm", reward__reward_model_weight=0.25)
        row = self.metrics("mix")[0]
        self.assertAlmostEqual(row["reward"], 0.75 * row["reward/gold"] + 0.25 * row["reward/rm/mean"], places=9)
        result = self.plumb("eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl",
                            "--out", "reranked", *overrides({"eval.samples": 4, "sampling.max_new_tokens": 64,
                                                             "reward.reward_model": "rm"}))
        self.assertEqual(result.returncode, 0, result.stderr)
        scores = {key: value for row in self.metrics("reranked") for key, value in row.items()}
        self.assertLessEqual(scores["eval/data/rm@4"], scores["eval/data/pass@4"])
        evaluation = json.loads((self.folder / "reranked/evals/eval-data-T1.json").read_text())
        chosen = [prompt["successes"][prompt["reranked"]] for prompt in evaluation["prompts"]]
        self.assertEqual(sum(chosen) / len(chosen), scores["eval/data/rm@4"])
        for settings, words in (({"reward__code_signal": "rm"}, ("reward.reward_model",)),
                                ({"reward__code_signal": "rm", "reward__reward_model": "nowhere"}, ("nowhere/policy",))):
            self.assert_refused(self.plumb(*self.command("refused", **settings)), 1, *words)

    def test_a_custom_reward_that_draws_lots_is_written_down(self):
        rows = [{"prompt": f"Say {word}.", "id": word, "extra_info": {"word": word}} for word in ("yes", "no", "so", "me")]
        (self.folder / "chat.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        script = self.folder / "lots.py"
        lots = ("import json, random, sys\n"
                "for line in sys.stdin:\n"
                "    row = json.loads(line)\n"
                "    assert row['extra_info']['word'] == row['prompt_id']\n"
                "    print(json.dumps({'id': row['id'], 'score': random.random()}), flush=True)\n")
        script.write_text("raise SystemExit(4)\n")
        command = [*self.command("run", model="random", reward__custom_command=f"python3,{script}",
                                 reward__custom_role="verdict", reward__custom_retries=1, grpo__min_code_prompts=0,
                                 sampling__max_new_tokens=8, grpo__checkpoint_every=2)]
        command[command.index(self.models / "tasks.jsonl")] = self.folder / "chat.jsonl"
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 1, result.stderr)
        for words in ("saved at step 0", "no completion of step 1 could be scored", "exited with status 4", "--resume"):
            self.assertIn(words, result.stderr.splitlines()[-1])
        script.write_text(lots)
        result = self.plumb(*command, "--resume")
        self.assertEqual(result.returncode, 0, result.stderr)
        logged = self.metrics("run")
        self.assertEqual([row["step"] for row in logged], [1, 2, 3, 4])
        self.assertTrue(all(0 < row["reward"] < 1 and row["reward"] == row["reward/custom/mean"] for row in logged))
        script.unlink()
        result = self.plumb("replay", "--run", "run", "--step", "3")
        self.assertRegex(result.stdout, r"\n0 of \d+ numbers differ")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_watch_serves_the_report_to_its_own_name_alone(self):
        self.train("run", grpo__steps=1)
        watch = subprocess.Popen([os.environ["PLUMB_BINARY"], "watch", "run", "--every", "7"], cwd=self.folder,
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.terminate)
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", watch.stdout.readline())[1])

        def get(target, **headers):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", target, headers=headers)
            response = connection.getresponse()
            text = response.read().decode()
            connection.close()
            return response.status, text

        status, page = get("/")
        self.assertEqual(status, 200)
        self.assertIn('<meta http-equiv="refresh" content="7">', page)
        report = (self.folder / "run/report.html").read_text()
        self.assertEqual(page.replace('<meta http-equiv="refresh" content="7">', ""), report)
        with (self.folder / "run/metrics.jsonl").open("a") as metrics:
            metrics.write(json.dumps(self.metrics("run")[0] | {"step": 2}) + "\n")
        self.assertNotEqual(get("/")[1], page)
        self.assertEqual(get("/", Host=f"localhost:{port}")[0], 200)
        self.assertEqual(get("/", Host="evil.example")[0], 403)
        self.assertEqual(get("/metrics.jsonl")[0], 404)
        self.assert_refused(self.plumb("watch", "nowhere"), 1, "nowhere", "no such run folder")

    def draws_of(self, run):
        """(prompt, draw, step) of each group that was learned from, in order."""
        rows = [json.loads(line) for line in (self.folder / run / "samples.jsonl").read_text().splitlines()]
        groups = [(row["prompt_id"], row["draw"], row["step"]) for row in rows if row["sample"] == 0]
        self.assertEqual(len(groups), len(set(groups)))
        return groups

    def assert_every_draw_once(self, run, steps):
        drawn = {}
        for prompt, draw, _ in self.draws_of(run):
            self.assertEqual(draw, drawn.get(prompt, 0), "a draw is lost, doubled or out of order")
            drawn[prompt] = draw + 1
        self.assertEqual(sum(drawn.values()), steps * SMALL_RUN["grpo.prompts_per_step"])

    def test_one_step_off_is_a_function_of_the_seed(self):
        truncated = {"sampling__top_p": 0.99, "grpo__schedule": "one_step_off"}
        self.train("off-a", model__threads=1, **truncated)
        self.train("off-b", model__threads=4, grpo__actor_threads=3, sampling__max_batch=5, **truncated)
        self.assert_same_run("off-a", "off-b")
        rows = self.metrics("off-a")
        self.assertEqual([row["staleness/max"] for row in rows][0], 0)
        self.assertEqual(max(row["staleness/max"] for row in rows), 1)
        self.assertTrue(any(row["ratio/max_abs_dev"] > 0 for row in rows), "nothing was off-policy")
        self.assert_every_draw_once("off-a", 4)
        self.assert_refused(self.plumb("replay", "--run", "off-a", "--step", "2"), 1, "grpo.schedule", "synchronous")

    def test_an_asynchronous_run_keeps_its_bound_and_every_draw_over_interrupts(self):
        steps = 12
        settings = {"grpo__schedule": "asynchronous", "grpo__max_staleness": 2, "grpo__steps": steps,
                    "grpo__checkpoint_every": 1, "grpo__old_policy": "decoupled", "grpo__importance": "token_truncate"}
        command = [os.environ["PLUMB_BINARY"], *map(str, self.command("run", **settings))]
        how = [signal.SIGINT, signal.SIGKILL, signal.SIGINT]
        for stop in how:
            seen = len(self.metrics("run")) if (self.folder / "run/metrics.jsonl").exists() else 0
            resume = ["--resume"] if (self.folder / "run/metrics.jsonl").exists() else []
            run = subprocess.Popen([*command, *resume], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
            deadline = time.monotonic() + 60
            while run.poll() is None and time.monotonic() < deadline:
                if (self.folder / "run/metrics.jsonl").exists() and len(self.metrics("run")) >= seen + 3:
                    break
                time.sleep(0.02)
            run.send_signal(stop)
            self.assertIn(run.wait(60), (0, 130, -signal.SIGKILL), run.stderr.read())
            run.stderr.close()
        self.train("run", "--resume", **settings)
        rows = self.metrics("run")
        self.assertEqual([row["step"] for row in rows], list(range(1, steps + 1)))
        self.assertLessEqual(max(row["staleness/max"] for row in rows), 2)
        self.assertGreater(max(row["staleness/mean"] for row in rows), 0)
        self.assert_every_draw_once("run", steps)

    def test_interrupt_saves_and_resume_goes_on_to_the_same_bits(self):
        self.train("whole", grpo__steps=6)
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, self.command("cut", grpo__steps=6))],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "step   2/6" in line:
                process.send_signal(signal.SIGINT)
                break
        output, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn("--resume", output)
        self.assertLess(len(self.metrics("cut")), 6)
        self.assert_refused(self.plumb(*self.command("cut", grpo__steps=6)), 1, "already holds a run", "--resume")
        self.train("cut", "--resume", grpo__steps=6)
        self.assert_same_run("whole", "cut")

    def test_the_best_weights_on_dev_are_the_result(self):
        settings = {"grpo__steps": 5, "grpo__dev_every": 1, "grpo__dev_split": "sft", "eval__samples": 8,
                    "grpo__learning_rate": 4e-3, "grpo__checkpoint_every": 1, "grpo__keep_checkpoints": 9}
        result = self.train("whole", **settings)
        scores = [row["eval/sft/avg@8"] for row in self.metrics("whole")]
        best = scores.index(max(scores)) + 1
        self.assertLess(best, 5, "nothing to come back to")
        self.assertIn(f"the weights of step {best} were the best on sft", result.stderr)
        best_weights = f"checkpoints/step-{best:06d}/model.safetensors"
        self.assertEqual((self.folder / "whole/policy/model.safetensors").read_bytes(),
                         (self.folder / "whole" / best_weights).read_bytes())
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, self.command("cut", **settings))],
                                   cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if f"step   {best + 1}/5" in line:
                process.kill()
                break
        process.communicate(timeout=60)
        self.train("cut", "--resume", **settings)
        self.assert_same_run("whole", "cut")

    def test_no_gain_on_dev_ends_the_run(self):
        settings = {"grpo__dev_every": 2, "grpo__dev_split": "sft", "grpo__dev_patience": 2, "grpo__dev_prompts": 2,
                    "grpo__learning_rate": 0, "grpo__steps": 20}
        result = self.train("run", **settings)
        self.assertIn("stopped early: the weights of step 2", result.stderr)
        self.assertEqual(len(self.metrics("run")), 6)
        self.assert_refused(self.plumb(*self.command("none", grpo__dev_every=1)), 1, "grpo.dev_every", "'dev'")
        self.assertFalse((self.folder / "none").exists())

    def test_killed_run_resumes_from_its_last_checkpoint(self):
        self.train("whole", grpo__steps=5)
        process = subprocess.Popen(
            [os.environ["PLUMB_BINARY"], *map(str, self.command("cut", grpo__steps=5, grpo__checkpoint_every=2))],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "step   4/5" in line:
                process.kill()
                break
        process.communicate(timeout=60)
        self.train("cut", "--resume", grpo__steps=5, grpo__checkpoint_every=2)
        metrics = (self.folder / "whole/metrics.jsonl").read_bytes()
        self.assertEqual((self.folder / "cut/metrics.jsonl").read_bytes(), metrics)

    def test_killed_at_random_instants_it_ends_with_the_same_bytes(self):
        """PLUMB_KILLS (10) times SIGKILL, at instants spread over everything that a run does, of one run after another."""
        # What has most to come back: moments, a reference that moves, an entropy coefficient, several updates a step.
        settings = {"grpo__steps": 3, "grpo__checkpoint_every": 1, "grpo__kl": "k3", "grpo__reference": "ema",
                    "grpo__reference_every": 1, "grpo__reference_rate": 0.5, "grpo__zero_spread": "keep",
                    "grpo__entropy_target": 5.0, "grpo__mini_batches": 2, "grpo__update_epochs": 2}
        start = time.monotonic()
        self.train("whole", **settings)
        duration = time.monotonic() - start
        instants = random.Random(8)
        left, killed, run = int(os.environ.get("PLUMB_KILLS", "10")), 0, 0
        while left > 0:
            run += 1
            out = self.folder / f"cut-{run}"
            for _ in range(min(left, 5)):
                resume = ["--resume"] if (out / "manifest.json").exists() else []
                process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, self.command(out, *resume, **settings))],
                                           cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    process.wait(timeout=instants.uniform(0, duration))
                except subprocess.TimeoutExpired:
                    killed += 1
                process.kill()
                process.wait(timeout=60)
                left -= 1
            self.train(out, *(["--resume"] if (out / "manifest.json").exists() else []), **settings)
            self.assert_same_run("whole", out)
            for name in ("trainer.json", "optimizer.safetensors", "reference.safetensors"):
                last = "checkpoints/step-000003/" + name
                self.assertEqual((self.folder / "whole" / last).read_bytes(), (out / last).read_bytes(), name)
            shutil.rmtree(out)
        self.assertGreater(killed, 0, "every run had ended before its kill")

    def test_sft_killed_and_interrupted_ends_with_the_same_bytes(self):
        settings = {"sft.learning_rate": 5e-3, "sft.max_epochs": 12, "sft.batch_size": 2, "sft.checkpoint_every": 1,
                    "sft.decay": "wsd"}
        command = ["sft", "--model", self.models / "random", "--data", self.models / "tasks.jsonl",
                   *overrides(settings), "--out"]
        self.assertEqual(self.plumb(*command, "whole").returncode, 0)
        for stop in (signal.SIGKILL, signal.SIGINT):
            resume = ["--resume"] if (self.folder / "cut").exists() else []
            process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, command), "cut", *resume], cwd=self.folder,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            progress = self.folder / "cut/sft-progress/checkpoints"
            before = set(progress.glob("step-*")) if progress.exists() else set()
            while process.poll() is None and not (progress.exists() and set(progress.glob("step-??????")) - before):
                time.sleep(0.002)
            process.send_signal(stop)
            process.wait(timeout=60)
            self.assertTrue(progress.exists(), "the run had ended before it was stopped")
        result = self.plumb(*command, "cut", "--resume")
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in ("metrics.jsonl", "policy/model.safetensors"):
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (self.folder / "cut" / name).read_bytes(), name)
        self.assertFalse((self.folder / "cut/sft-progress").exists())

    def test_data_of_a_model_and_of_its_samples(self):
        self.train("run", grpo__steps=3)
        tasks = ["--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl"]
        result = self.plumb("data", "profile", *tasks, "-k", 4, "--out", "profile",
                            *overrides({"sampling.max_new_tokens": 64}))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("mixed groups", result.stdout)
        lines = [json.loads(line) for line in (self.folder / "profile/profile.jsonl").read_text().splitlines()]
        self.assertEqual({line["id"] for line in lines}, {f"e2e/{name}/{to}" for name in "fg" for to in ("cpp", "python")})
        self.assertTrue(all(line["samples"] == 4 and 0 <= line["pass@k"]["4"] <= 1 for line in lines))
        for name, keys in (("sft-from-rollouts", {"prompt", "completion"}), ("rm-from-rollouts", {"chosen", "rejected"})):
            result = self.plumb("data", name, "run", "--out", "made.jsonl", "--per-prompt", 2)
            self.assertEqual(result.returncode, 0, result.stderr)
            rows = [json.loads(line) for line in (self.folder / "made.jsonl").read_text().splitlines()]
            self.assertTrue(all(keys <= row.keys() for row in rows) and rows)

    def test_replay_of_a_step_gives_the_logged_numbers(self):
        self.train("run", grpo__steps=4, grpo__checkpoint_every=2)
        for step, start in ((1, "the start of the run"), (3, "step-000002")):
            result = self.plumb("replay", "--run", "run", "--step", step)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertIn(start, result.stderr)
            self.assertIn("0 of ", result.stdout)
        log = self.folder / "run/metrics.jsonl"
        log.write_text(log.read_text().replace('"reward":', '"reward":1', 3))
        result = self.plumb("replay", "--run", "run", "--step", 3)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"DIFFERENT +reward ")
        self.assertIn("no line of GRPO step 9", self.plumb("replay", "--run", "run", "--step", 9).stderr)

    def test_options_that_do_not_compose_are_refused_with_the_reason(self):
        for settings, words in (({"grpo__kl": "k1_loss"}, "whose mean over the policy's own samples is 0"),
                                ({"grpo__kl": "k3"}, "grpo.reference"),
                                ({"grpo__group_size": 1}, "reinforce_pp")):
            result = self.plumb(*self.command("refused", **settings))
            self.assertEqual(result.returncode, 1)
            self.assertIn(words, result.stderr.splitlines()[-1])
            shutil.rmtree(self.folder / "refused", ignore_errors=True)

    def test_other_members_of_the_family_train(self):
        recipes = {"dapo": {"grpo__zero_spread": "refill", "grpo__denominator": "contributing", "grpo__clip_high": 0.28,
                            "grpo__overlong_zone": 8},
                   "gspo": {"grpo__ratio": "sequence", "grpo__aggregation": "sample_mean", "grpo__mini_batches": 4},
                   "reinforce_pp": {"grpo__advantage": "reinforce_pp", "grpo__group_size": 1, "grpo__kl": "k1_reward",
                                    "grpo__prompts_per_step": 8, "grpo__reference": "fixed"}}
        for name, settings in recipes.items():
            with self.subTest(name):
                self.train(name, **settings | {"grpo__steps": 2})
                self.assertTrue(any(row["grad_norm"] > 0 for row in self.metrics(name)))

    def test_resume_names_what_has_changed(self):
        self.train("run", grpo__checkpoint_every=2)
        result = self.plumb(*self.command("run", "--resume", run__seed=9, grpo__checkpoint_every=2))
        self.assertEqual(result.returncode, 1)
        self.assertIn("seed", result.stderr)

    def test_damaged_checkpoints_are_named_and_the_last_good_one_used(self):
        self.train("whole", grpo__checkpoint_every=2)
        shutil.copytree(self.folder / "whole", self.folder / "run")
        command = self.command("run", "--resume", grpo__checkpoint_every=2)
        older, newest = sorted((self.folder / "run/checkpoints").iterdir())
        weights = newest / "model.safetensors"
        content = bytearray(weights.read_bytes())
        content[len(content) // 2] ^= 1
        weights.write_bytes(content)
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"model\.safetensors: is not what was written .*older checkpoint")
        self.assert_same_run("whole", "run")
        self.assertTrue((self.folder / "run/checkpoints/step-000004.damaged").exists())
        (newest / "optimizer.safetensors").unlink()
        (older / "trainer.json").write_text("{}")
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 1)
        for words in ("no checkpoint is whole", "optimizer.safetensors: is missing", "trainer.json"):
            self.assertIn(words, result.stderr.splitlines()[-1])

    def test_no_spread_no_update(self):
        result = self.train("run", model="random", grpo__steps=2)
        self.assertIn("2 without an update", result.stdout)
        self.assertTrue(all(row["frac_reward_zero_std"] == 1 for row in self.metrics("run")))
        self.assertEqual(read_tensors(self.folder / "run/policy/model.safetensors"),
                         read_tensors(self.models / "random/model.safetensors"))

    def test_preflight_finds_nothing_wrong(self):
        result = self.plumb(*self.command("run", "--preflight"))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertNotIn("FAILED", result.stdout)
        self.assertIn("0 of ", result.stdout)

    def test_unwritable_folder(self):
        (self.folder / "file").write_text("")
        result = self.plumb(*self.command("file/run"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("file/run", result.stderr.splitlines()[-1])

    def test_a_disk_that_fills_up_leaves_earlier_checkpoints_whole(self):
        self.train("run", grpo__steps=2, grpo__checkpoint_every=2)
        checkpoint = self.folder / "run/checkpoints/step-000002"
        before = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
        shutil.rmtree(self.folder / "run/policy")
        # No file may grow beyond a fraction of the weights; the kernel says so as it does for a full disk.
        limit = len(before["model.safetensors"]) // 4
        result = self.plumb(*self.command("run", "--resume", grpo__steps=2, grpo__checkpoint_every=2),
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
                            restore_signals=False)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr.splitlines()[-1], r"plumb: .*(safetensors|policy|checkpoints)")
        self.assertEqual({path.name: path.read_bytes() for path in checkpoint.iterdir()}, before)

    def test_the_guard_text_shows_what_is_unlearned(self):
        text = "def f(n: int) -> int:\n    return n + 1\n" * 3
        (self.folder / "guard.txt").write_text(text)
        (self.folder / "in.jsonl").write_text(json.dumps({"id": 1, "text": text}) + "\n")
        scored = self.plumb("score", "--model", self.models / "warm/policy", "--in", "in.jsonl", "--out", "out.jsonl")
        self.assertEqual(scored.returncode, 0, scored.stderr)
        log_probs = json.loads((self.folder / "out.jsonl").read_text())["log_probs"][1:]
        expected = math.exp(-sum(log_probs) / len(log_probs))
        self.train("run", grpo__learning_rate=0, grpo__dev_every=2, grpo__dev_split="sft", eval__guard_text="guard.txt",
                   model__dtype="f32")
        guards = [row.get("guard/perplexity") for row in self.metrics("run")]
        self.assertEqual([guards[0], guards[2]], [None, None])
        self.assertAlmostEqual(guards[1] / expected, 1, places=5)
        self.assertEqual(guards[1], guards[3])
        refused = self.plumb("eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl",
                             "--out", "none", "--set", "eval.guard_text=absent.txt")
        self.assert_refused(refused, 1, "eval.guard_text", "absent.txt")

    def test_eval_and_report(self):
        result = self.plumb("eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl",
                            "--out", "run", *overrides({"eval.samples": 2, "sampling.max_new_tokens": 64}))
        self.assertEqual(result.returncode, 0, result.stderr)
        names = {key for row in self.metrics("run") for key in row}
        self.assertTrue({"eval/data/greedy", "eval/data/avg@2", "eval/data/pass@2"} <= names, names)
        self.assertEqual(self.plumb("report", "run").returncode, 0)
        self.assertTrue((self.folder / "run/report.html").exists())
        shutil.rmtree(self.folder / "run")


if __name__ == "__main__":
    unittest.main()
