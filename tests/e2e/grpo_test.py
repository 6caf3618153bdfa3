"""What single options of a training do to its steps: which prompts replace others, and numbers that are not finite."""

import json
import os
import re
import struct
import subprocess
import unittest

from training_case import TASKS, TrainingCase, overrides

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


def spoil(path, tensor):
    """Makes every number of a tensor of a safetensors file, f32, so large that products overflow."""
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[:8], "little")
    begin, end = json.loads(content[8:8 + size])[tensor]["data_offsets"]
    content[8 + size + begin:8 + size + end] = struct.pack("<f", 3e38) * ((end - begin) // 4)
    path.write_bytes(content)


class Grpo(TrainingCase):
    def custom_command(self, out, score, rows, **settings):
        """A run on `rows` whose verdicts are what the expression `score` of `row` and `number` says."""
        (self.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        script = self.folder / "scores.py"
        script.write_text(SCORER.replace("SCORE", score))
        command = self.command(out, **{"model": "random", "reward__custom_command": f"python3,{script}",
                                       "reward__custom_role": "verdict", "grpo__min_code_prompts": 0,
                                       "sampling__max_new_tokens": 8} | settings)
        command[command.index(self.models / "tasks.jsonl")] = self.folder / "rows.jsonl"
        return command

    def custom_run(self, *arguments, **settings):
        return self.plumb(*self.custom_command(*arguments, **settings))

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

    def test_controls_change_what_is_learned_from_alone(self):
        for arm in ("verdict", "permuted", "negated"):
            result = self.custom_run(arm, "len(row['completion']) % 5 / 4", CHAT, grpo__steps=1, grpo__saved_groups=9,
                                     grpo__reward_arm=arm)
            self.assertEqual(result.returncode, 0, result.stderr)
        told = {arm: [(row["reward"], row["advantage"]) for row in self.samples(arm)]
                for arm in ("verdict", "permuted", "negated")}
        for arm in ("permuted", "negated"):
            self.assertEqual([reward for reward, _ in told[arm]], [reward for reward, _ in told["verdict"]])
            self.assertNotEqual(told[arm], told["verdict"])
            self.assertEqual(self.metrics(arm)[0]["reward"], self.metrics("verdict")[0]["reward"])
        self.assertEqual([-advantage for _, advantage in told["negated"]], [advantage for _, advantage in told["verdict"]])

    def test_health_goes_on_after_a_resume(self):
        settings = {"grpo__steps": 11, "grpo__checkpoint_every": 1, "grpo__learning_rate": 0}
        command = self.custom_command("cut", "number % 2", CHAT, **settings)
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, command)], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        words = ""
        for line in process.stderr:
            words += line
            if "step   6/11" in line:
                process.kill()
                break
        process.communicate(timeout=60)
        resumed = self.plumb("grpo", "--resume", "--out", "cut")
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertIn("completions were cut off", words)
        self.assertNotIn("completions were cut off", resumed.stderr)

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
        pairs = [{"prompt_id": f"{n}/python", "prompt": "Write f.", "chosen": "good", "rejected": "bad"} for n in range(2)]
        (self.folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pairs))
        made = self.plumb("reward-model", "--model", self.models / "warm/policy", "--pairs", "pairs.jsonl", "--out", "rm",
                          *overrides({"rm.good": "Y", "rm.bad": "N", "rm.dev_share": 0, "rm.max_epochs": 1}))
        self.assertEqual(made.returncode, 0, made.stderr)
        spoil(self.folder / "rm/policy/model.safetensors", "model.norm.weight")
        broken = {"reward__code_signal": "rm", "reward__reward_model": "rm", "grpo__saved_groups": 1,
                  "grpo__checkpoint_every": 1}
        for schedule in ("one_step_off", "synchronous"):
            with self.subTest(schedule):
                result = self.plumb(*self.command(schedule, grpo__schedule=schedule, **broken))
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
