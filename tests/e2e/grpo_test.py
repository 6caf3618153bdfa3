"""What single options of a training do to its steps: which prompts replace others, and numbers that are not finite."""

import json
import re
import unittest

from training_case import TASKS, TrainingCase

CHAT = [{"prompt": f"Say {word}.", "id": word} for word in ("yes", "no", "so", "me")]

# Scores of the completions of a prompt in the order in which they are asked for.
SCORER = """import collections, json, sys
seen = collections.Counter()
for line in sys.stdin:
    row = json.loads(line)
    number = seen[row['prompt_id']]
    seen[row['prompt_id']] += 1
    print(json.dumps({'id': row['id'], 'score': SCORE}), flush=True)
"""


class Grpo(TrainingCase):
    def custom_run(self, out, score, rows, **settings):
        """A run on `rows` whose verdicts are what the expression `score` of `row` and `number` says."""
        (self.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        script = self.folder / "scores.py"
        script.write_text(SCORER.replace("SCORE", score))
        command = self.command(out, **{"model": "random", "reward__custom_command": f"python3,{script}",
                                       "reward__custom_role": "verdict", "grpo__min_code_prompts": 0,
                                       "sampling__max_new_tokens": 8} | settings)
        command[command.index(self.models / "tasks.jsonl")] = self.folder / "rows.jsonl"
        return self.plumb(*command)

    def samples(self, run):
        return [json.loads(line) for line in (self.folder / run / "samples.jsonl").read_text().splitlines()]

    def test_refilling_restores_the_mix_of_code_and_maths(self):
        code = [dict(row, split="rl") for row in TASKS[:1]]  # in two languages
        maths = [{"id": f"sum/{n}", "question": f"What is {n} + 1?", "answer": str(n + 1), "split": "rl"}
                 for n in range(6)]
        rows = [*code, *maths]
        is_code = "('e2e' in row['prompt_id'])"
        for name, score, rounds, expected in (
                ("maths ties", f"number % 2 if {is_code} else 0", 2, ["ccmm", "mm", "mm"]),
                ("code ties", f"0 if {is_code} else number % 2", 2, ["ccmm", "cc", "cc"]),
                ("none ties", "number % 2", 2, ["ccmm"]),
                ("all tie", "0", 1, ["ccmm", "ccmm"]),
                ("C++ ties", "0 if 'cpp' in row['prompt_id'] else number % 2", 1, ["ccmm", "c"])):
            with self.subTest(name):
                result = self.custom_run(name, score, rows, grpo__steps=1, grpo__prompts_per_step=4,
                                         grpo__min_code_prompts=2, grpo__zero_spread="refill",
                                         grpo__refill_rounds=rounds, grpo__denominator="contributing",
                                         grpo__saved_groups=99)
                self.assertEqual(result.returncode, 0, result.stderr)
                kinds = ["m" if sample["language"] == "none" else "c" for sample in self.samples(name)][::4]
                self.assertEqual("".join(kinds), "".join(expected))
                # No forward of the learner, no entropy.
                self.assertEqual("entropy" in self.metrics(name)[0], name != "all tie")

    def test_operations_are_those_of_prompts_and_references_too(self):
        # The tiny model's products, by its weights; every completion is of eight tokens and none begin alike.
        rows = [{"prompt": "Say " + "really " * 40 + word + ".", "id": word} for word in ("yes", "no")]
        settings = {"grpo__steps": 1, "grpo__prompts_per_step": 2, "grpo__learning_rate": 0}
        counted = {}
        for name, more in (("plain", {}),
                           ("reference", {"grpo__kl": "k3", "grpo__reference": "fixed", "grpo__zero_spread": "keep"}),
                           ("short", {"rows": [dict(row, prompt=row["id"]) for row in rows]})):
            result = self.custom_run(name, "number % 2", **({"rows": rows} | settings | more))
            self.assertEqual(result.returncode, 0, result.stderr)
            counted[name] = json.loads((self.folder / name / "timings.jsonl").read_text().splitlines()[0])["perf/tflop"]
        # Sampling reads what the learner reads, which multiplies it three times; the reference once more.
        self.assertAlmostEqual(counted["reference"] / counted["plain"], 5 / 4, delta=0.02)
        self.assertGreater(counted["plain"], 1.5 * counted["short"])

    def test_a_loss_that_is_not_finite_stops_the_run_with_its_samples(self):
        # Steps of 1 in every weight, thirty times on one rollout: what was likely is soon below exp(-700).
        wild = {"grpo__learning_rate": 1, "grpo__max_grad_norm": 0, "grpo__warmup_steps": 0, "grpo__update_epochs": 30,
                "grpo__saved_groups": 1, "grpo__checkpoint_every": 1}
        for schedule in ("one_step_off", "synchronous"):
            with self.subTest(schedule):
                result = self.custom_run(schedule, "number % 2", CHAT, grpo__schedule=schedule, **wild)
                self.assertEqual(result.returncode, 1)
                words = result.stderr.splitlines()[-1]
                step = int(re.search(r"a loss, reward or log-prob is not finite at step (\d+)", words)[1])
                self.assertIn("samples.jsonl", words)
                self.assertEqual("plumb replay" in words, schedule == "synchronous")
                last = [row for row in self.samples(schedule) if row["step"] == step]
                self.assertEqual(len(last), 16, "all of the step's completions, not those of one group")
                self.assertEqual(self.metrics(schedule)[-1]["step"], step)
                self.assertFalse((self.folder / schedule / f"checkpoints/step-{step:06}").exists())
        replayed = self.plumb("replay", "--run", "synchronous", "--step", step)
        self.assertRegex(replayed.stdout, r"\n0 of \d+ numbers differ", replayed.stderr)


if __name__ == "__main__":
    unittest.main()
