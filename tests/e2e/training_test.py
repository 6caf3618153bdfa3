"""Whole trainings of a tiny model: same bits twice, every kind of run, and what users see of them."""

import collections
import copy
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from tiny_model import LATENT_SHAPE, read_tensors, write_tiny_model
from training_case import SMALL_RUN, TASKS, TrainingCase, overrides


class Training(TrainingCase):
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
        pairs = [json.loads(line) for line in (self.folder / "pairs.jsonl").read_text().splitlines()]
        uses = collections.Counter((pair["prompt_id"], pair[side]) for pair in pairs for side in ("chosen", "rejected"))
        self.assertLessEqual(max(uses.values()), 2)
        named = [dict(pairs[0], prompt_id=f"{number}/python", family=f"{number}") for number in range(8)]
        families = "".join(json.dumps(row) + "\n" for row in named)
        (self.folder / "families.jsonl").write_text(families)
        result = self.plumb("reward-model", "--model", self.models / "warm/policy", "--pairs", "families.jsonl", "--out",
                            "held-out", *overrides({"rm.good": "Y", "rm.bad": "N", "rm.dev_share": 0.5,
                                                    "rm.eval_pairs": '["families.jsonl"]'}))
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads((self.folder / "held-out/reward_model.json").read_text())
        self.assertEqual(report["eval_pairs"]["families.jsonl"], report["held_out"])  # of the same families
        for name in ("shorter", "log_prob", "compiles"):
            self.assertIn(f"baseline: {name}", report["held_out"])
        self.assertEqual(report["objective"], "pairs")
        margin = report["held_out"]["margin"]  # of one pair under several names
        for name in ("mean", "p5", "p95"):
            self.assertAlmostEqual(margin[name], margin["p50"], places=9)
        self.assertEqual(margin["p50"] > 0, report["held_out"]["all"]["accuracy"] == 1)
        logged = self.metrics("held-out")[-1]
        self.assertEqual((logged["stage"], logged["rm/margin_p5"], logged["rm/ece"]),
                         ("eval", margin["p5"], report["held_out"]["ece"]))
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
        same = self.plumb("reward-model", "--model", self.models / "warm/policy", "--pairs", "pairs.jsonl", "--out", "same",
                          *overrides({"rm.good": "Y", "rm.bad": "Y"}))
        self.assert_refused(same, 1, "rm.good, rm.bad", "two different tokens")
        for settings, words in (({"reward__code_signal": "rm"}, ("reward.reward_model",)),
                                ({"reward__code_signal": "rm", "reward__reward_model": "nowhere"}, ("nowhere/policy",))):
            self.assert_refused(self.plumb(*self.command("refused", **settings)), 1, *words)

    def test_a_reward_model_of_pass_rates_drives(self):
        tasks = copy.deepcopy(TASKS)
        tasks[0]["tests"][1]["result"] = 7  # what is right of the others passes three tests of four
        (self.folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in tasks))
        for run, more in (("rollouts", {"reward__code": "fraction"}), ("plain", {})):
            command = self.command(run, grpo__steps=2, **more)
            command[command.index(self.models / "tasks.jsonl")] = self.folder / "tasks.jsonl"
            result = self.plumb(*command)
            self.assertEqual(result.returncode, 0, result.stderr)
        make = ["data", "rm-from-rollouts", "rollouts", "--pass-rates", "--per-prompt", 3, "--out", "rated.jsonl"]
        result = self.plumb(*make)
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = [json.loads(line) for line in (self.folder / "rated.jsonl").read_text().splitlines()]
        samples = [json.loads(line) for line in (self.folder / "rollouts/samples.jsonl").read_text().splitlines()]
        rates = collections.defaultdict(dict)
        for sample in samples:
            rates[sample["prompt_id"]][str(sample["text"])] = sample.get("passed", 0) / sample.get("tests", 1)
        rates = {prompt: of_prompt for prompt, of_prompt in rates.items()
                 if not any("base64" in text for text in of_prompt)}  # cut within a character
        self.assertTrue(any(0 < row["pass_rate"] < 1 for row in rows), "nothing was right in part")
        for prompt, of_prompt in rates.items():
            mine = [row for row in rows if row["prompt_id"] == prompt]
            self.assertEqual(len(mine), min(3, len(of_prompt)))
            self.assertEqual([row["pass_rate"] for row in mine], [of_prompt[row["completion"]] for row in mine])
            self.assertEqual((mine[0]["pass_rate"], mine[-1]["pass_rate"]),
                             (min(of_prompt.values()), max(of_prompt.values())))
        by_prompt = [[row for row in rows if row["prompt_id"] == prompt] for prompt in rates]
        several = next(mine for mine in by_prompt if len({row["pass_rate"] for row in mine}) > 1)
        named = [dict(row, id=f"{number}/python#{place}", prompt_id=f"{number}/python", family=f"{number}")
                 for number in range(8) for place, row in enumerate(several)]
        for row in named[:len(several)]:  # turns are as good as a text, and the id names the prompt
            row["messages"] = [{"role": "user", "content": row.pop("prompt")}]
            del row["prompt_id"]
        (self.folder / "families.jsonl").write_text("".join(json.dumps(row) + "\n" for row in named))
        for objective in ("regression", "classification"):
            command = ["reward-model", "--model", self.models / "warm/policy", "--pairs", "families.jsonl", "--out",
                       objective, *overrides({"rm.good": "Y", "rm.bad": "N", "rm.dev_share": 0.5, "rm.max_epochs": 40,
                                              "rm.learning_rate": 2e-3, "rm.objective": objective})]
            result = self.plumb(*command)
            self.assertEqual(result.returncode, 0, result.stderr)
            report = json.loads((self.folder / objective / "reward_model.json").read_text())
            held_out = report["held_out"]  # the completions that it learned, under other names
            self.assertEqual(report["objective"], objective)
            self.assertEqual(held_out["completions"] % len(several), 0)
            self.assertLess(held_out["mse"], held_out["mse_of_mean"] / 4)
            self.assertLess(held_out["ece"], 0.2)
            self.assertEqual(held_out["all"]["accuracy"], 1)
            self.assertGreater(held_out["margin"]["p5"], 0)
            self.assertEqual(sum(bin["count"] for bin in held_out["reliability"]), held_out["completions"])
            logged = self.metrics(objective)
            self.assertEqual((logged[-1]["stage"], logged[-1]["rm/mse"]), ("eval", held_out["mse"]))
            self.assertLess(logged[-2]["rm/mse"], logged[0]["rm/mse"] / 4)
            self.assertEqual(logged[-2]["loss"] == logged[-2]["rm/mse"], objective == "regression")
        self.train("driven", grpo__steps=1, reward__code_signal="rm", reward__reward_model="regression")
        row = self.metrics("driven")[0]
        self.assertEqual(row["reward"], row["reward/rm/mean"])
        self.assertTrue(0 < row["reward"] < 1)
        # Its judge stopped at the first test that failed.
        plain = ["data", "rm-from-rollouts", "plain", "--pass-rates", "--out", "plain.jsonl"]
        self.assert_refused(self.plumb(*plain), 1, "plain.jsonl", "reward.code", "--verdicts")
        self.assertEqual(self.plumb(*plain, "--verdicts").returncode, 0)
        rows = [json.loads(line) for line in (self.folder / "plain.jsonl").read_text().splitlines()]
        self.assertEqual({row["pass_rate"] for row in rows}, {0, 1})
        self.assertEqual(self.plumb("data", "rm-from-rollouts", "rollouts", "--out", "pairs.jsonl").returncode, 0)
        for file, objective, words in (("pairs.jsonl", "regression", ("pairs.jsonl:1", "rm.objective")),
                                       ("rated.jsonl", "pairs", ("rated.jsonl:1", "rm.objective"))):
            refused = self.plumb("reward-model", "--model", self.models / "warm/policy", "--pairs", file, "--out",
                                 f"refused-{objective}", *overrides({"rm.good": "Y", "rm.bad": "N",
                                                                     "rm.objective": objective}))
            self.assert_refused(refused, 1, *words)

    def test_shaping_that_differs_by_little_is_no_spread(self):
        script = self.folder / "lots.py"
        script.write_text("import json, random, sys\n"
                          "for line in sys.stdin:\n"
                          "    row = json.loads(line)\n"
                          "    print(json.dumps({'id': row['id'], 'score': random.random()}), flush=True)\n")
        shaped = {"reward__custom_command": f"python3,{script}", "reward__custom_weight": 0.04, "grpo__steps": 1,
                  "sampling__max_new_tokens": 16}  # too short to be right: all that differs is the lot
        self.train("default", model="random", **shaped)
        self.train("any", model="random", grpo__min_spread=0, **shaped)
        self.train("verdicts", model="random", grpo__steps=1, sampling__max_new_tokens=16)
        without_spread = {run: self.metrics(run)[0]["frac_reward_zero_std"] for run in ("default", "any", "verdicts")}
        self.assertEqual(without_spread, {"default": 1, "any": 0, "verdicts": 1})

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

    def test_data_of_a_model_and_of_its_samples(self):
        self.train("run", grpo__steps=3)
        tasks = ["--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl"]
        result = self.plumb("data", "profile", *tasks, "-k", 4,  # its folder is profile/ unless --out says another
                            *overrides({"sampling.max_new_tokens": 64}))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("mixed groups", result.stdout)
        lines = [json.loads(line) for line in (self.folder / "profile/profile.jsonl").read_text().splitlines()]
        self.assertEqual({line["id"] for line in lines}, {f"e2e/{name}/{to}" for name in "fg" for to in ("cpp", "python")})
        self.assertTrue(all(line["samples"] == 4 and 0 <= line["pass@k"]["4"] <= 1 for line in lines))
        self.assertIn("report: profile/report.html", result.stdout)
        page = (self.folder / "profile/report.html").read_text()
        per_hour = re.search(r"useful samples an hour +(\d+)", result.stdout).group(1)
        self.assertIn(f"{per_hour} useful samples an hour", page)
        self.assertIn("<th>pass@4</th>", page)

        # Cut off in the middle of a line, it is gone on with to the same bytes.
        whole = {name: (self.folder / "profile" / name).read_bytes() for name in ("profile.jsonl", "samples.jsonl")}
        half = whole["profile.jsonl"].splitlines(keepends=True)[:2]
        (self.folder / "profile/profile.jsonl").write_bytes(b"".join(half) + b'{"id": "e2')
        again = ["data", "profile", *tasks, "--resume", *overrides({"sampling.max_new_tokens": 64})]
        refused = self.plumb(*again, "-k", 8)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("profile.jsonl: has 4 completions a prompt; go on with -k 4", refused.stderr)
        result = self.plumb(*again, "-k", 4)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual({name: (self.folder / "profile" / name).read_bytes() for name in whole}, whole)
        timings = [json.loads(line)["step"] for line in (self.folder / "profile/timings.jsonl").read_text().splitlines()]
        self.assertEqual(timings, [1, 2, 3, 4])
        # One that is complete says what its page says; where the times are lost it does not say "0 an hour".
        result = self.plumb(*again, "-k", 4)
        per_hour = re.search(r"useful samples an hour +(\d+)", result.stdout).group(1)
        self.assertIn(f"{per_hour} useful samples an hour", (self.folder / "profile/report.html").read_text())
        (self.folder / "profile/timings.jsonl").unlink()
        result = self.plumb(*again, "-k", 4)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("useful samples an hour", result.stdout)

        for name, keys in (("sft-from-rollouts", {"prompt", "completion"}), ("rm-from-rollouts", {"chosen", "rejected"})):
            result = self.plumb("data", name, "run", "--out", "made.jsonl", "--per-prompt", 2)
            self.assertEqual(result.returncode, 0, result.stderr)
            rows = [json.loads(line) for line in (self.folder / "made.jsonl").read_text().splitlines()]
            self.assertTrue(all(keys <= row.keys() for row in rows) and rows)
        result = self.plumb("eval", *tasks, "--out", "evaluated",
                            *overrides({"sampling.max_new_tokens": 64, "eval.samples": 4}))
        self.assertEqual(result.returncode, 0, result.stderr)
        from_eval = ["data", "sft-from-rollouts", "evaluated", "--out", "made.jsonl"]
        self.assert_refused(self.plumb(*from_eval), 1, "evaluations alone (of data)", "--eval-set")
        self.assert_refused(self.plumb(*from_eval, "--eval-set", "test"), 1, "--eval-set test", "which have data")
        for command, run in (([*from_eval, "--eval-set", "data"], "evaluated"),
                             (["data", "sft-from-rollouts", "profile", "--out", "made.jsonl"], "profile")):
            result = self.plumb(*command)
            self.assertEqual(result.returncode, 0, result.stderr)
            samples = [json.loads(line) for line in (self.folder / run / "samples.jsonl").read_text().splitlines()]
            right = {sample["text"] for sample in samples if sample["reward"] == 1 and sample["finish"] != "length"}
            made = [json.loads(line) for line in (self.folder / "made.jsonl").read_text().splitlines()]
            self.assertTrue(made and {row["completion"] for row in made} <= right)
        (self.folder / "profile/samples.jsonl").unlink()
        self.assert_refused(self.plumb("data", "sft-from-rollouts", "profile", "--out", "made.jsonl"), 1,
                            "profile/samples.jsonl", "make it again")

    def test_demonstrations_are_the_shortest_or_those_of_the_highest_reward(self):
        self.train("run", grpo__steps=1)
        (self.folder / "made").mkdir()
        sample = json.loads((self.folder / "run/samples.jsonl").read_text().splitlines()[0])
        parts = [{"name": "tests", "value": 1, "weight": 1, "reason": ""}]
        sample.update(unscored="", audit=-1, finish="eos", parts=parts)
        rows = [dict(sample, text=text, reward=reward, tokens=tokens)
                for text, reward, tokens in (("short", 0.8, 5), ("long", 1, 9), ("middle", 1, 7))]
        (self.folder / "made/samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for options, texts in (([], ["short", "middle"]), (["--best-by", "length"], ["short", "middle"]),
                               (["--best-by", "reward"], ["middle", "long"])):
            result = self.plumb("data", "sft-from-rollouts", "made", "--out", "out.jsonl", "--per-prompt", 2, *options)
            self.assertEqual(result.returncode, 0, result.stderr)
            made = [json.loads(line)["completion"] for line in (self.folder / "out.jsonl").read_text().splitlines()]
            self.assertEqual(made, texts)
        refused = self.plumb("data", "sft-from-rollouts", "made", "--out", "none.jsonl", "--best-by", "price")
        self.assert_refused(refused, 2, "--best-by", "price", "{length,reward}")
        self.assertIn("{length,reward}", self.plumb("data", "sft-from-rollouts", "--help").stdout)

    def test_replay_of_a_step_gives_the_logged_numbers(self):
        self.train("run", grpo__steps=4, grpo__checkpoint_every=2)
        for step, start in ((1, "the start of the run"), (3, "step-000002")):
            result = self.plumb("replay", "--run", "run", "--step", step)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertIn(start, result.stderr)
            self.assertRegex(result.stdout, r"(?<!\d)0 of ")
        log = self.folder / "run/metrics.jsonl"
        log.write_text(log.read_text().replace('"reward":', '"reward":1', 3))
        result = self.plumb("replay", "--run", "run", "--step", 3)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"DIFFERENT +reward ")
        self.assertIn("no line of GRPO step 9", self.plumb("replay", "--run", "run", "--step", 9).stderr)
        self.assert_refused(self.plumb("replay", "--run", "run", "--step", 0), 2,
                            "plumb replay: --step: expected a number above 0, found 0")

    def test_options_that_do_not_compose_are_refused_with_the_reason(self):
        for settings, words in (({"grpo__kl": "k1_loss"}, "whose mean over the policy's own samples is 0"),
                                ({"grpo__kl": "k3"}, "grpo.reference"),
                                ({"grpo__group_size": 1}, "reinforce_pp")):
            result = self.plumb(*self.command("refused", **settings))
            self.assertEqual(result.returncode, 1)
            self.assertIn(words, result.stderr.splitlines()[-1])
            shutil.rmtree(self.folder / "refused", ignore_errors=True)

    def test_the_coefficient_that_follows_a_target_is_logged(self):
        self.train("run", grpo__steps=3, grpo__entropy_target=5, grpo__entropy_step=0.004, grpo__zero_spread="keep")
        for row, expected in zip(self.metrics("run"), (0, 0.004, 0.008), strict=True):  # what the step trained with
            self.assertAlmostEqual(row["entropy_coefficient"], expected, places=8)
        self.train("none", grpo__steps=1)
        self.assertNotIn("entropy_coefficient", self.metrics("none")[0])

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

    def test_sampling_among_latents_reports_its_difference_and_is_repeatable(self):
        write_tiny_model(self.folder / "latent", shape=LATENT_SHAPE)
        # A random model earns nothing: the divergence keeps its tokens in the loss.
        settings = {"model": self.folder / "latent", "grpo__steps": 2, "grpo__kl": "k3", "grpo__reference": "fixed",
                    "grpo__zero_spread": "keep", "sampling__top_p": 0.9}
        self.train("exact", **settings)
        self.train("latents", **settings, model__exact="false")
        self.train("decoupled", **settings, model__exact="false", grpo__old_policy="decoupled",
                   grpo__importance="token_truncate")
        mean = "sampling/sampling_logp_difference/mean"
        for row in self.metrics("exact"):
            self.assertNotIn(mean, row)
            self.assertEqual(row["ratio/max_abs_dev"], 0)
        for row in self.metrics("latents"):
            self.assertGreater(row[mean], 0)
            self.assertLess(row[mean], 0.02)
            self.assertGreater(row["ratio/max_abs_dev"], 0)
        for row in self.metrics("decoupled"):
            self.assertGreater(row[mean], 0)
            self.assertEqual(row["ratio/max_abs_dev"], 0)  # of pi / pi_prox, both the learner's
        result = self.plumb("replay", "--run", "latents", "--step", 2)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"(?<!\d)0 of ")

    def test_no_spread_no_update(self):
        result = self.train("run", model="random", grpo__steps=2)
        self.assertIn("2 without an update", result.stdout)
        self.assertRegex(result.stderr, r"step +2/2 .*entropy -  grad -  ")  # nothing was computed that could be 0
        self.assertTrue(all(row["frac_reward_zero_std"] == 1 for row in self.metrics("run")))
        self.assertEqual(read_tensors(self.folder / "run/policy/model.safetensors"),
                         read_tensors(self.models / "random/model.safetensors"))

    def test_preflight_finds_nothing_wrong(self):
        result = self.plumb(*self.command("run", "--preflight"))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertNotIn("FAILED", result.stdout)
        self.assertRegex(result.stdout, r"(?<!\d)0 of ")

    def test_eval_and_report(self):
        result = self.plumb("eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl",
                            "--out", "run", *overrides({"eval.samples": 2, "sampling.max_new_tokens": 64}))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"plumb: (less than a minute|about (1 minute|\d+ minutes)) if the machine is idle")
        self.assertEqual([line.split()[-2:] for line in result.stdout.splitlines()[:3]],
                         [["prompts", "samples"], ["4", "1"], ["4", "2"]])
        self.assertIn("completions in run/samples.jsonl, report in run/report.html", result.stdout.splitlines()[-1])
        (self.folder / "run/report.html").unlink()  # it was written; below it is again
        names = {key for row in self.metrics("run") for key in row}
        self.assertTrue({"eval/data/greedy", "eval/data/avg@2", "eval/data/pass@2"} <= names, names)
        self.assertEqual(self.plumb("report", "run").returncode, 0)
        self.assertTrue((self.folder / "run/report.html").exists())
        shutil.rmtree(self.folder / "run")


if __name__ == "__main__":
    unittest.main()
