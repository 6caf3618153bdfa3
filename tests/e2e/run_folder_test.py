"""Run folders: one process at a time, one command, nothing claimed by a run that is refused, nothing written over."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from training_case import TrainingCase, overrides

PAIRS = [{"prompt_id": f"{n}/python", "prompt": f"question {n}", "chosen": "good", "rejected": "bad"} for n in range(6)]


class RunFolder(TrainingCase):
    def setUp(self):
        super().setUp()
        (self.folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in PAIRS))

    def sft_command(self, out, *more, **settings):
        settings = {"sft.max_epochs": 2, "sft.batch_size": 2} | {key.replace("__", "."): value
                                                                  for key, value in settings.items()}
        return ["sft", "--model", self.models / "random", "--data", self.models / "tasks.jsonl", "--out", out,
                *overrides(settings), *more]

    def rm_command(self, out, *more, **settings):
        settings = {"rm.good": "Y", "rm.bad": "N", "rm.batch_size": 2, "rm.dev_share": 0} | {
            key.replace("__", "."): value for key, value in settings.items()}
        return ["reward-model", "--model", self.models / "random", "--pairs", "pairs.jsonl", "--out", out,
                *overrides(settings), *more]

    def eval_command(self, out, *more, **settings):
        settings = {"sampling.max_new_tokens": 64, "eval.samples": 2} | {key.replace("__", "."): value
                                                                         for key, value in settings.items()}
        return ["eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl", "--out", out,
                *overrides(settings), *more]

    def start(self, command):
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, command)], cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def wait_for_line(self, process, words):
        lines = []
        for line in process.stderr:
            lines.append(line)
            if words in line:
                return
        self.fail("".join(lines))

    def interrupt(self, command, words):
        """Starts it, sends SIGINT once a line of stderr has `words`, and yields its status and output."""
        process = self.start(command)
        self.wait_for_line(process, words)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def succeed(self, *command):
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def test_one_process_at_a_time(self):
        process = self.start(self.command("run", grpo__steps=500, grpo__checkpoint_every=1))
        self.wait_for_line(process, "step   2/500")
        words = f"pid {process.pid} is at work here"
        for command in (self.command("run", "--resume", grpo__steps=500, grpo__checkpoint_every=1), self.command("run"),
                        self.sft_command("run", "--resume"), self.eval_command("run"), self.rm_command("run"),
                        ["data", "profile", "--model", self.models / "warm/policy", "--out", "run"],
                        ["quickstart", "--model", self.models / "warm/policy", "--out", "run"]):
            self.assert_refused(self.plumb(*command), 1, "run: ", words)
        self.succeed("report", "run")  # it only reads
        self.succeed("replay", "--run", "run", "--step", 2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
        steps = [row["step"] for row in self.metrics("run")]
        self.assertEqual(steps, list(range(1, len(steps) + 1)))

    def test_a_second_sft_is_refused_while_the_first_is_at_work(self):
        process = self.start(self.sft_command("run", sft__max_epochs=1000, sft__checkpoint_every=1))
        self.wait_for_line(process, "step/s")
        result = self.plumb("sft", "--resume", "--out", "run")
        self.assert_refused(result, 1, f"pid {process.pid} is at work here")

    def test_a_run_is_gone_on_with_by_its_own_command(self):
        self.train("run", grpo__steps=2)
        weights = (self.folder / "run/policy/model.safetensors").read_bytes()
        self.assert_refused(self.plumb(*self.sft_command("run", "--resume")), 1, "plumb grpo --resume --out run")
        self.assertEqual((self.folder / "run/policy/model.safetensors").read_bytes(), weights)
        manifest = json.loads((self.folder / "run/manifest.json").read_text())
        self.assertEqual(manifest["command"], "grpo")
        self.assertEqual(manifest["argv"][1:], [str(word) for word in self.command("run", grpo__steps=2)])

    def test_a_complete_run_is_not_trained_again(self):
        for name, command in (("sft", self.sft_command), ("rm", self.rm_command), ("grpo", self.command)):
            with self.subTest(name):
                self.succeed(*command(name))
                kept = {path: path.stat().st_mtime_ns for path in (self.folder / name).rglob("*") if path.is_file()
                        and path.name != "run.lock"}
                result = self.succeed(*command(name, "--resume"))
                self.assertIn("this run is complete", result.stdout)
                self.assertEqual({path: path.stat().st_mtime_ns for path in kept}, kept)
                self.assertEqual(len(list((self.folder / name).glob("events*"))), 1)

    def test_a_run_killed_before_it_began_starts_over(self):
        self.succeed(*self.sft_command("whole"))
        (self.folder / "early").mkdir()
        shutil.copy(self.folder / "whole/manifest.json", self.folder / "early/manifest.json")  # it is written first
        self.assert_refused(self.plumb("sft", "--resume", "--out", "early"), 1, "early", "stopped before it began")
        result = self.succeed(*self.sft_command("early", "--resume"))
        self.assertIn("the run starts over", result.stderr)
        self.assertEqual((self.folder / "early/metrics.jsonl").read_bytes(),
                         (self.folder / "whole/metrics.jsonl").read_bytes())

    def test_what_is_refused_claims_no_folder(self):
        (self.folder / "bad.jsonl").write_text(json.dumps({"prompt_id": "a/python", "prompt": "p", "chosen": "c"}) + "\n")
        refused = [
            (self.sft_command, {"sft__mixture": '["nope=1"]'}, "sft.mixture"),
            (self.sft_command, {"sft__fim_rate": 0.5}, "sft.fim_rate"),
            (self.command, {"grpo__kl": "k3", "grpo__kl_coefficient": 0.1}, "grpo.reference"),
            (self.command, {"grpo__importance": "token_truncate"}, "importance"),
            (self.command, {"grpo__kl": "k1_loss"}, "grpo.kl"),
            (self.command, {"sampling__max_new_tokens": 100000}, "sampling.max_new_tokens"),
            (self.eval_command, {"sampling__max_new_tokens": 100000}, "sampling.max_new_tokens"),
            (self.eval_command, {"reward__reward_model": "absent"}, "reward.reward_model"),
            (self.rm_command, {"rm__pairs": "bad.jsonl"}, "bad.jsonl:1"),
            (self.rm_command, {"rm__eval_pairs": "bad.jsonl"}, "bad.jsonl:1"),
            (self.rm_command, {"rm__good": "two tokens"}, "rm.good"),
        ]
        for make, settings, words in refused:
            with self.subTest(f"{make.__name__} {settings}"):
                command = make("new/run", **settings)
                if "rm__pairs" in settings:  # the option would win
                    at = command.index("--pairs")
                    del command[at:at + 2]
                result = self.plumb(*command)
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertIn(words, result.stderr.splitlines()[-1])
                self.assertNotIn("T=", result.stderr)  # nothing was sampled
                self.assertFalse((self.folder / "new").exists())
        self.succeed(*self.sft_command("new/run"))

    def test_a_folder_in_which_nothing_was_done_may_be_taken_over(self):
        self.train("done", grpo__steps=1)
        for resume in ([], ["--resume"]):
            with self.subTest(resume):
                run = self.folder / f"run{len(resume)}"
                run.mkdir()
                for name in ("manifest.json", "config.toml"):
                    shutil.copy(self.folder / "done" / name, run)
                (run / "metrics.jsonl").write_text("")
                (run / "verdicts.jsonl").write_text('{"key": "of another config"}\n')
                self.train(run, *resume, grpo__steps=1, run__seed=7)
                self.assertEqual(json.loads((run / "manifest.json").read_text())["seed"], 7)
                self.assertIn("seed = 7", (run / "config.toml").read_text())

    def test_nothing_is_written_over(self):
        for name in ("metrics.jsonl", "samples.jsonl", "config.toml", "policy/model.safetensors", "report.html"):
            with self.subTest(name):
                file = self.folder / "mine" / name
                file.parent.mkdir(parents=True)
                file.write_text("mine\n")
                for command in (self.command("mine"), self.sft_command("mine"), self.eval_command("mine"),
                                self.rm_command("mine")):
                    self.assert_refused(self.plumb(*command), 1, "mine/" + name.split("/")[0], "--out")
                self.assertEqual([path for path in (self.folder / "mine").rglob("*") if path.is_file()], [file])
                self.assertEqual(file.read_text(), "mine\n")
                shutil.rmtree(self.folder / "mine")
        shutil.copytree(self.models / "warm/policy", self.folder / "start/policy")
        command = self.command("start", model=self.folder / "start/policy")
        self.assert_refused(self.plumb(*command), 1, "start/policy", "the model is a result of this folder")

    def test_resume_needs_nothing_but_the_folder(self):
        steps = {"grpo__steps": 6, "grpo__clip_high": 0.3}
        self.train("whole", **steps)
        status, output, _ = self.interrupt(self.command("cut", **steps), "step   2/6")
        self.assertEqual(status, 130)
        self.assertIn("go on with --resume --out cut", output)
        self.assert_refused(self.plumb("grpo", "--resume", "--out", "absent"), 1, "no run to resume here")
        changed = self.plumb("grpo", "--resume", "--out", "cut", "--set", "run.seed=9")
        self.assertIn("run.seed: was 1, is 9", changed.stderr)
        self.succeed("grpo", "--resume", "--out", "cut")
        self.assert_same_run("whole", "cut")

    def test_resume_remembers_that_the_data_was_ones_own(self):
        tasks = [json.loads(line) for line in (self.models / "tasks.jsonl").read_text().splitlines()]
        (self.folder / "rl.jsonl").write_text("".join(json.dumps(task | {"split": "rl"}) + "\n" for task in tasks))
        sft = ["sft", "--model", self.models / "random", "--data", "rl.jsonl", *overrides({"sft.max_epochs": 60}), "--out"]
        self.succeed(*sft, "whole")
        status, _, _ = self.interrupt([*sft, "cut"], "step/s")
        self.assertEqual(status, 130)
        self.succeed("sft", "--resume", "--out", "cut")
        for name in ("metrics.jsonl", "policy/model.safetensors"):
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (self.folder / "cut" / name).read_bytes(), name)
        self.succeed(*self.eval_command("evaluated", eval__samples=16))  # long enough to be caught in its middle
        before, metrics = ((self.folder / "evaluated" / log).read_bytes() for log in ("samples.jsonl", "metrics.jsonl"))
        (self.folder / "evaluated/evals/eval-data-T1.json").unlink()
        self.succeed("eval", "--resume", "--out", "evaluated")
        self.assertTrue((self.folder / "evaluated/evals/eval-data-T1.json").exists())
        self.assertTrue((self.folder / "evaluated/samples.jsonl").read_bytes().startswith(before))
        # Ended between its samples and its result, as where the disk is full: nothing of it is there twice.
        process = self.start(self.eval_command("halted", eval__samples=16))
        in_the_way = self.folder / "halted/evals/eval-data-T1.json/in the way"
        while process.poll() is None and not in_the_way.parent.parent.exists():
            time.sleep(0.005)
        in_the_way.mkdir(parents=True)
        _, words = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, words)
        self.assertIn("eval-data-T1.json", words)
        self.assertEqual((self.folder / "halted/samples.jsonl").read_bytes(), before)
        shutil.rmtree(in_the_way.parent)
        self.succeed("eval", "--resume", "--out", "halted")
        self.assertEqual((self.folder / "halted/samples.jsonl").read_bytes(), before)
        self.assertEqual((self.folder / "halted/metrics.jsonl").read_bytes(), metrics)

    def test_the_rate_after_a_resume_is_that_of_its_own_steps(self):
        steps = {"grpo__steps": 30}
        self.assertEqual(self.interrupt(self.command("run", **steps), "step  27/30")[0], 130)
        result = self.succeed(*self.command("run", "--resume", **steps))
        rate = re.search(r"^grpo 100% 30/30  ([0-9.]+) (step/s|s/step)", result.stderr, re.MULTILINE)
        self.assertTrue(rate, result.stderr)
        shown = float(rate[1]) if rate[2] == "step/s" else 1 / float(rate[1])
        rows = [json.loads(line) for line in (self.folder / "run/timings.jsonl").read_text().splitlines()]
        seconds = [row["timing_s/step"] for row in rows if row["stage"] == "grpo"]
        self.assertLess(shown, 2 / min(seconds[-3:]))

    def test_interrupted_is_not_success(self):
        profile = ["data", "profile", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl", "-k",
                   1024, *overrides({"sampling.max_new_tokens": 64}), "--out", "profile"]
        (self.folder / "prompts.jsonl").write_text(json.dumps({"id": "a", "prompt": "what is it"}) + "\n")
        generate = ["generate", "--model", self.models / "warm/policy", "--in", "prompts.jsonl", "--out", "out.jsonl",
                    "-n", 1024]
        for name, command, words in (
                ("sft", self.sft_command("sft", sft__max_epochs=1000), "step/s"),
                ("reward-model", self.rm_command("rm", rm__max_epochs=1000), "step/s"),
                ("eval", self.eval_command("eval", eval__samples=1024), "T=1"),
                ("quickstart", ["quickstart", *self.eval_command("quickstart", eval__samples=1024, **{
                    "eval.splits": "sft"})[1:]], "T=1"),
                ("data profile", profile, "plumb: "),
                ("generate", generate, "generate")):
            with self.subTest(name):
                status, output, errors = self.interrupt(command, words)
                self.assertEqual(status, 130, output + errors)
                self.assertIn("--resume", output + errors)

    def test_logs_that_are_gone_are_named_and_nothing_is_changed(self):
        self.train("run", grpo__steps=2, grpo__checkpoint_every=1)
        shutil.rmtree(self.folder / "run/policy")
        resume = ["grpo", "--resume", "--out", "run"]
        kept = {name: (self.folder / "run" / name).read_bytes() for name in ("metrics.jsonl", "samples.jsonl")}
        for missing in kept:
            with self.subTest(missing):
                (self.folder / "run" / missing).unlink()
                result = self.plumb(*resume)
                self.assertEqual(result.returncode, 1)
                last = result.stderr.splitlines()[-1]
                for words in (f"run/{missing}", "put it back from a copy", "--out"):
                    self.assertIn(words, last)
                self.assertFalse((self.folder / "run" / missing).exists())
                (self.folder / "run" / missing).write_bytes(kept[missing])
        manifest = (self.folder / "run/manifest.json").read_text()
        (self.folder / "run/manifest.json").write_text(manifest[:-10])
        self.assert_refused(self.plumb(*resume), 1, "run/manifest.json", "put the file back from a copy")
        (self.folder / "run/manifest.json").write_text(manifest)
        self.succeed(*resume)
        self.assertEqual({name: (self.folder / "run" / name).read_bytes() for name in kept}, kept)

    def test_reports_are_of_runs_and_go_where_they_are_sent(self):
        (self.folder / "empty").mkdir()
        self.assert_refused(self.plumb("report", "empty"), 1, "empty: holds no run")
        self.assert_refused(self.plumb("watch", "empty", timeout=20), 1, "empty: holds no run")
        self.assertEqual(list((self.folder / "empty").iterdir()), [])
        self.succeed(*self.sft_command("run"))
        (self.folder / "run/report.html").unlink()
        result = self.succeed("report", "run", "--out", "single.html")
        self.assertEqual(result.stdout, "single.html\n")
        self.assertTrue((self.folder / "single.html").exists())
        self.assertFalse((self.folder / "run/report.html").exists())
        self.succeed("report", "run", "--out", "single.html")  # again

    def test_reports_and_traces_replace_nothing_but_themselves(self):
        self.succeed(*self.sft_command("run"))
        (self.folder / "mine.jsonl").write_text('{"prompt": "mine"}\n')
        self.succeed("report", "run", "--out", "run/report.html")
        for out, words in (("run/metrics.jsonl", "is a file of a run"), ("run/manifest.json", "is a file of a run"),
                           ("run/samples.jsonl", "is a file of a run"), ("mine.jsonl", "is no page")):
            before = (self.folder / out).read_bytes() if (self.folder / out).exists() else None
            self.assert_refused(self.plumb("report", "run", "--out", out), 1, out, words, "--out")
            self.assert_refused(self.plumb("report", "run", "run", "--out", out), 1, out, words, "--out")
            words = words.replace("page", "trace")
            self.assert_refused(self.plumb(*self.sft_command("other"), "--profile", out), 1, out, words, "--profile")
            self.assertFalse((self.folder / "other").exists())
            self.assertEqual((self.folder / out).read_bytes() if (self.folder / out).exists() else None, before)
        for folder in ("first", "second"):
            self.succeed(*self.sft_command(folder), "--profile", "trace.json")

    def test_data_of_rollouts_does_not_replace_a_run(self):
        self.train("run", grpo__steps=2)
        samples = (self.folder / "run/samples.jsonl").read_bytes()
        for command in ("rm-from-rollouts", "sft-from-rollouts"):
            self.assert_refused(self.plumb("data", command, "run", "--out", "run/samples.jsonl"), 1, "run/samples.jsonl",
                                "--out")
            self.assertEqual((self.folder / "run/samples.jsonl").read_bytes(), samples)
            self.assertEqual(self.plumb("data", command, "run", "--out", "o.jsonl", "--from-step", -1).returncode, 2)
        self.succeed("data", "sft-from-rollouts", "run", "--out", "run/made.jsonl")
        humaneval = self.plumb("eval", "humaneval", "--data", "problems.jsonl", "--model", "absent", "--out", "run")
        self.assert_refused(humaneval, 1, "run/samples.jsonl", "--out")

    def test_a_run_that_did_not_begin_says_how_to_go_on(self):
        self.train("run", grpo__steps=1)
        begun = self.folder / "begun"
        begun.mkdir()
        shutil.copy(self.folder / "run/manifest.json", begun)
        self.assert_refused(self.plumb("grpo", "--resume", "--out", "begun"), 1, "start it again without --resume")
        for command in ("sft", "reward-model"):  # whose config has other sections
            self.assert_refused(self.plumb(command, "--resume", "--out", "run"), 1, "holds a run of plumb grpo")
        shutil.copy(self.folder / "run/config.toml", begun)
        result = self.plumb("grpo", "--resume", "--out", "begun")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("nothing was done here yet, so the run starts over", result.stderr)
        self.assert_same_run("run", "begun")
        (begun / "manifest.json").unlink()
        self.assert_refused(self.plumb("grpo", "--resume", "--out", "begun"), 1, "put that back from a copy")

    def test_a_step_is_no_shorter_than_its_parts(self):
        self.train("run", grpo__steps=6, grpo__checkpoint_every=1)
        for line in (self.folder / "run/timings.jsonl").read_text().splitlines():
            row = json.loads(line)
            self.assertGreaterEqual(row["timing_s/train"], 0, row)
            self.assertLessEqual(row["timing_s/checkpoint"], row["timing_s/step"], row)


if __name__ == "__main__":
    unittest.main()
