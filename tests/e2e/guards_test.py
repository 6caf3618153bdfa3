"""What training unlearns, beside every evaluation: perplexity, KL from the base, HumanEval, gradient norms by layer."""

import ctypes
import json
import math
import os
import struct
import unittest

from training_case import OWN_DEV, TrainingCase

IN_CLOSE_NOWRITE, IN_OPEN = 0x10, 0x20


class Opens:
    """Counts how often a file is opened."""

    def __init__(self, path):
        libc = ctypes.CDLL(None)
        self.events = libc.inotify_init1(os.O_NONBLOCK)
        # With what comes in between: equal events in a row would be one.
        libc.inotify_add_watch(self.events, str(path).encode(), IN_OPEN | IN_CLOSE_NOWRITE)

    def count(self):
        try:
            events = os.read(self.events, 1 << 16)  # of a file they have no name and 16 bytes each
        except BlockingIOError:
            events = b""
        os.close(self.events)
        return sum(bool(mask & IN_OPEN) for _, mask, _, _ in struct.iter_unpack("iIII", events))


class Guards(TrainingCase):
    def test_the_guard_text_shows_what_is_unlearned(self):
        text = "def f(n: int) -> int:\n    return n + 1\n" * 3
        (self.folder / "guard.txt").write_text(text)
        (self.folder / "in.jsonl").write_text(json.dumps({"id": 1, "text": text}) + "\n")
        scored = self.plumb("score", "--model", self.models / "warm/policy", "--in", "in.jsonl", "--out", "out.jsonl")
        self.assertEqual(scored.returncode, 0, scored.stderr)
        log_probs = json.loads((self.folder / "out.jsonl").read_text())["log_probs"][1:]
        expected = math.exp(-sum(log_probs) / len(log_probs))
        self.train("run", grpo__learning_rate=0, grpo__dev_every=2, **OWN_DEV, eval__guard_text="guard.txt",
                   model__dtype="f32")
        guards = [row.get("guard/perplexity") for row in self.metrics("run")]
        self.assertEqual([guards[0], guards[2]], [None, None])
        self.assertAlmostEqual(guards[1] / expected, 1, places=5)
        self.assertEqual(guards[1], guards[3])
        self.assertEqual([row.get("guard/kl") for row in self.metrics("run")], [None, 0, None, 0])
        refused = self.plumb("eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl",
                             "--out", "none", "--set", "eval.guard_text=absent.txt")
        self.assert_refused(refused, 1, "eval.guard_text", "absent.txt")

        evaluated = self.plumb("eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl",
                               "--out", "evaluated", "--set", "eval.guard_text=guard.txt", "--set", "eval.samples=2",
                               "--set", "model.dtype=f32")
        self.assertEqual(evaluated.returncode, 0, evaluated.stderr)
        self.assertIn(f"perplexity of the guard text {expected:.2f}", evaluated.stdout)

        # Weights that move have left the base; problems that resemble the primer's are no guard.
        problem = {"task_id": "HumanEval/7", "prompt": "def one():\n    \"\"\"One.\"\"\"\n", "entry_point": "one",
                   "test": "def check(candidate):\n    assert candidate() == 1\n"}
        (self.folder / "problems.jsonl").write_text(json.dumps(problem) + "\n")
        opens = Opens(self.folder / "problems.jsonl")
        self.train("moved", grpo__learning_rate=0.01, grpo__steps=2, grpo__dev_every=2, **OWN_DEV,
                   grpo__zero_spread="keep", grpo__kl="k3", grpo__reference="fixed", eval__guard_text="guard.txt",
                   eval__guard_humaneval="problems.jsonl", eval__guard_overlap="", eval__guard_tokens=8,
                   run__layer_norms="true", model__dtype="f32")
        self.assertEqual(opens.count(), 2)  # for its problems and for its checksum
        moved = self.metrics("moved")[-1]
        self.assertEqual(moved["guard/humaneval"], 0)

        # KL(base || policy), from all log-probs of both.
        def log_probs(model, out):
            scored = self.plumb("score", "--model", model, "--in", "in.jsonl", "--out", out, "--top", 100000)
            self.assertEqual(scored.returncode, 0, scored.stderr)
            return [dict(place) for place in json.loads((self.folder / out).read_text())["top"][1:]]

        base = log_probs(self.models / "warm/policy", "base.jsonl")
        policy = log_probs(self.folder / "moved/policy", "moved.jsonl")
        divergence = sum(math.exp(p) * (p - q[token]) for one, q in zip(base, policy) for token, p in one.items())
        self.assertGreater(divergence, 0.01)
        self.assertAlmostEqual(moved["guard/kl"] / (divergence / len(base)), 1, places=3)
        refused = self.plumb(*self.command("long", eval__guard_humaneval="problems.jsonl", eval__guard_overlap="",
                                           eval__guard_tokens=2000))
        self.assert_refused(refused, 1, "eval.guard_tokens", "HumanEval/7", "1024")
        self.assertFalse((self.folder / "long").exists())
        layers = [value for name, value in moved.items() if name.startswith("grad_norm/")]
        self.assertAlmostEqual(math.sqrt(sum(value ** 2 for value in layers)) / moved["grad_norm"], 1, places=5)


if __name__ == "__main__":
    unittest.main()
