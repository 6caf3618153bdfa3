"""Trainings one of whose parts dies in a step, or that die themselves with everything on: the same bytes all the same."""

import contextlib
import json
import os
import random
import signal
import subprocess
import time
import unittest

from training_case import OWN_DEV, TrainingCase, children_of

# Scores by the text alone; each process of it ends after so many answers.
MORTAL_REWARD = """
import json, os, signal, sys, zlib
for number, line in enumerate(sys.stdin, 1):
    if number == LAST:
        os.kill(os.getpid(), signal.SIGKILL)
    row = json.loads(line)
    print(json.dumps({"id": row["id"], "score": zlib.crc32(row["completion"].encode()) % 1000 / 1000}), flush=True)
"""


class TrainingDeaths(TrainingCase):
    def test_launchers_of_the_judge_that_are_killed_change_nothing(self):
        settings = {"grpo__steps": 10}
        self.train("whole", **settings)
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, self.command("run", **settings))], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        chance, killed, step = random.Random(4), 0, 0
        metrics = self.folder / "run/metrics.jsonl"
        while process.poll() is None:
            time.sleep(0.005)
            done = metrics.read_bytes().count(b"\n") if metrics.exists() else 0
            if done == step:
                continue
            # Once a step: what loses its launcher again and again is a fault, and unscored.
            step = done
            time.sleep(chance.uniform(0, 0.1))
            with contextlib.suppress(IndexError, ProcessLookupError):  # they have ended with the run
                os.kill(chance.choice(children_of(process.pid, "plumb-sandbox")), signal.SIGKILL)
                killed += 1
        self.assertEqual(process.returncode, 0)
        self.assertGreater(killed, 1)
        self.assert_same_run("whole", "run")

    def test_a_custom_reward_that_dies_again_and_again_changes_nothing(self):
        (self.folder / "chat.jsonl").write_text("".join(
            json.dumps({"prompt": f"Say {word}.", "id": word}) + "\n" for word in ("yes", "no", "so", "me")))
        settings = {"data__tasks": json.dumps([str(self.folder / "chat.jsonl")]), "data__train_splits": "[]",
                    "reward__custom_command": f"python3,{self.folder}/reward.py", "reward__custom_role": "verdict",
                    "reward__custom_retries": 2, "grpo__min_code_prompts": 0, "sampling__max_new_tokens": 8}
        for run, last in (("whole", "None"), ("run", "11")):
            (self.folder / "reward.py").write_text(MORTAL_REWARD.replace("LAST", last))
            self.train(run, **settings)
        self.assert_same_run("whole", "run")
        self.assertEqual([row["groups/unscored"] for row in self.metrics("run")], [0, 0, 0, 0])

    def test_killed_with_everything_on_that_a_checkpoint_has_to_hold(self):
        both = {"grpo__steps": 6, "grpo__checkpoint_every": 2, "grpo__prompts_per_step": 3, "grpo__min_code_prompts": 2,
                "grpo__prompt_order": "spread", "grpo__dev_every": 1, **OWN_DEV, "eval__samples": 2,
                "run__layer_norms": "true"}
        refill = {"grpo__zero_spread": "refill", "grpo__refill_rounds": 2, "grpo__denominator": "contributing"}
        divergence = {"grpo__zero_spread": "keep", "grpo__kl": "k3", "grpo__kl_coefficient": 0.01,
                      "grpo__reference": "refreshed", "grpo__reference_every": 3}  # refused beside refill
        instants = random.Random(3)
        for name, more in (("refill", refill), ("divergence", divergence)):
            with self.subTest(name):
                settings = both | more
                start = time.monotonic()
                self.train(f"whole-{name}", **settings)
                duration = time.monotonic() - start
                kills = [instants.uniform(0.3, 0.9) * duration for _ in range(2)]
                killed = self.kill_at_random(f"cut-{name}", kills, **settings)
                self.assertGreater(killed, 0, "every run had ended before its kill")
                self.assert_same_run(f"whole-{name}", f"cut-{name}")
                self.assert_same_checkpoint(f"whole-{name}", f"cut-{name}", 6)


if __name__ == "__main__":
    unittest.main()
