"""Evaluation within a run: what is dev, which weights are kept for it, and what would measure or do nothing."""

import json
import os
import subprocess
import unittest

from training_case import OWN_DEV, TASKS, TrainingCase


class Dev(TrainingCase):
    def test_the_best_weights_on_dev_are_the_result(self):
        settings = {"grpo__steps": 5, "grpo__dev_every": 1, **OWN_DEV, "eval__samples": 8,
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

    def test_rows_of_dev_are_not_trained_on(self):
        rows = [TASKS[0], TASKS[1] | {"split": "dev"}]
        (self.folder / "split.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        command = self.command("run", grpo__dev_every=2, grpo__steps=2, grpo__prompts_per_step=2,
                               grpo__min_code_prompts=2)
        command[command.index(self.models / "tasks.jsonl")] = self.folder / "split.jsonl"
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 0, result.stderr)
        samples = [json.loads(line) for line in (self.folder / "run/samples.jsonl").read_text().splitlines()]
        self.assertEqual({sample["prompt_id"].rpartition("/")[0] for sample in samples if sample["kind"] == "train"},
                         {"e2e/f"})
        self.assertIn("eval/dev/avg@4", self.metrics("run")[-1])

    def test_the_last_step_is_among_the_best(self):
        result = self.train("run", grpo__dev_every=3, grpo__steps=4, **OWN_DEV)
        self.assertEqual(["eval/sft/avg@4" in row for row in self.metrics("run")], [False, False, True, True])
        self.assertNotIn("does nothing here", result.stderr)

    def test_no_gain_on_dev_ends_the_run(self):
        settings = {"grpo__dev_every": 2, **OWN_DEV, "grpo__dev_patience": 2, "grpo__dev_prompts": 2,
                    "grpo__learning_rate": 0, "grpo__steps": 20}
        result = self.train("run", **settings)
        self.assertIn("stopped early: the weights of step 2", result.stderr)
        self.assertEqual(len(self.metrics("run")), 6)
        self.assert_refused(self.plumb(*self.command("none", grpo__dev_every=1)), 1, "grpo.dev_every", "'dev'")
        self.assertFalse((self.folder / "none").exists())

    def test_what_measures_nothing_is_refused(self):
        chat = [{"messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."}]}]
        (self.folder / "chat.jsonl").write_text(json.dumps(chat[0]) + "\n")
        model = ("--model", self.models / "warm/policy")
        tasks = ("--set", f"data.tasks={self.models / 'tasks.jsonl'}")
        for name, arguments, words in (
                ("split", ("eval", *tasks, "--set", "eval.splits=nope"), ("'nope'", "eval.splits")),
                ("chat", ("eval", "--data", "chat.jsonl"), ("no prompt", "answer", "reward.custom_role")),
                ("profile", ("data", "profile", "--data", "chat.jsonl", "-k", 2), ("answer", "reward.custom_role"))):
            with self.subTest(name):
                result = self.plumb(*arguments, *model, "--out", name, "--set", "sampling.max_new_tokens=8")
                self.assertEqual(result.returncode, 1, result.stderr)
                for word in words:
                    self.assertIn(word, result.stderr.splitlines()[-1])
                self.assertNotIn("nan", result.stdout)

    def unsure(self, *broken, **settings):
        """An evaluation of eight prompts whose reward does not answer for those that are named."""
        rows = [{"id": f"d{number}", "prompt": f"Say {number}.", "split": "rl"} for number in range(8)]
        (self.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (self.folder / "reward.py").write_text(
            "import json, sys\nfor line in sys.stdin:\n    row = json.loads(line)\n"
            f"    said = {{'error': 'outage'}} if row['prompt_id'] in {broken} else {{'score': len(row['completion']) % 2}}\n"
            "    print(json.dumps({'id': row['id']} | said), flush=True)\n")
        return ["--set", "reward.custom_command=python3,reward.py", "--set", "reward.custom_role=verdict", "--set",
                "reward.custom_retries=0", "--set", "sampling.max_new_tokens=8"]

    def assert_ended(self, result, *words):
        self.assertEqual(result.returncode, 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr.splitlines()[-1])

    def test_what_could_not_be_judged_is_said(self):
        some, most = ("d0",), tuple(f"d{number}" for number in range(5))
        evaluate = ("eval", "--model", self.models / "random", "--data", "rows.jsonl")
        result = self.plumb(*evaluate, "--out", "some", *self.unsure(*some))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("warning: eval of data: 4 of 32 completions could not be judged (the first: ", result.stderr)
        self.assertIn("outage", result.stderr)
        self.assertEqual([row["eval/data/unscored"] for row in self.metrics("some")], [0.125, 0.125])
        # More lost than kept is no evaluation; what was lost is asked about again.
        result = self.plumb(*evaluate, "--out", "most", *self.unsure(*most))
        self.assert_ended(result, "5 of 8 completions could not be judged", "outage", "--resume")
        self.unsure()
        result = self.plumb("eval", "--resume", "--out", "most")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("could not be judged", result.stderr)
        profile = ("data", "profile", "--model", self.models / "random", "--data", "rows.jsonl", "-k", 2)
        result = self.plumb(*profile, "--out", "profile", *self.unsure(*(f"d{number}" for number in range(8))))
        self.assert_ended(result, "outage", "--resume")
        self.unsure()
        result = self.plumb("data", "profile", "--resume", "--out", "profile", "-k", 2)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual({json.loads(line)["scored"] for line in
                          (self.folder / "profile/profile.jsonl").read_text().splitlines()}, {2})

    def test_what_lost_its_verdicts_chooses_no_weights(self):
        command = self.command("run", grpo__steps=3, grpo__dev_every=1, grpo__min_code_prompts=0, eval__samples=1,
                               grpo__learning_rate=0, **OWN_DEV)
        command[command.index(self.models / "tasks.jsonl")] = self.folder / "rows.jsonl"
        command += [*self.unsure("d0", "d1", "d2"), "--set", "grpo.dev_split=rl", "--set", "data.train_splits=rl"]
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr.count("it does not choose the best weights"), 3)
        self.assertNotIn("were the best on", result.stderr)

    def test_rows_that_nothing_can_judge_are_named(self):
        rows = [{"id": "hello", "prompt": "Say hello."}] + TASKS
        (self.folder / "mixed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        command = self.command("run", grpo__steps=2, grpo__min_code_prompts=0)
        command[command.index(self.models / "tasks.jsonl")] = self.folder / "mixed.jsonl"
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("note: chat rows without an answer are passed over (1 of ", result.stderr)
        self.assertEqual([row["groups/unscored"] for row in self.metrics("run")], [0, 0])
        # Maths without the program that verifies it would be unscored for a whole run.
        (self.folder / "maths.jsonl").write_text(json.dumps({"question": "1+1=", "answer": "2"}) + "\n")
        for name, arguments in (("grpo", ("grpo",)), ("eval", ("eval",)), ("profile", ("data", "profile", "-k", 2))):
            with self.subTest(name):
                refused = self.plumb(*arguments, "--model", self.models / "random", "--data", "maths.jsonl", "--out", name,
                                     env=os.environ | {"PLUMB_MATHS_WORKER": "/nope"})
                self.assert_ended(refused, "/nope", "PLUMB_MATHS_WORKER")
                self.assertFalse((self.folder / name).exists())
        doctor = self.plumb("doctor", env=os.environ | {"PLUMB_MATHS_WORKER": "/nope"})
        self.assertIn("plumb-maths", doctor.stdout)

    def test_settings_that_do_nothing_are_named(self):
        result = self.train("run", grpo__steps=1, grpo__dev_patience=3, grpo__kl_coefficient=0.1, grpo__refill_rounds=9,
                            reward__outcome_weight=0, grpo__ratio="cispo", grpo__clip_low=0.9, grpo__warmup_steps=50,
                            grpo__advantage="no_std", grpo__std_floor=5, grpo__final_fraction=0.5, grpo__decay="constant")
        for key in ("grpo.clip_low", "grpo.warmup_steps", "grpo.std_floor", "grpo.final_fraction", "grpo.dev_patience", "grpo.kl_coefficient", "grpo.refill_rounds", "reward.outcome_weight"):
            self.assertIn(f"note: {key} does nothing here; it needs", result.stderr)


if __name__ == "__main__":
    unittest.main()
