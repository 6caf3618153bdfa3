"""A mixture of experts learns sums from random weights: SFT teaches some, GRPO twice as many, rewards that mean nothing none.
The short form of bench/learning/arithmetic.py: a smaller model, smaller numbers, half a minute."""

import json
import shutil
import unittest

from plumb_case import REPOSITORY, PlumbCase
from training_case import overrides

SMALLER = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2,
           "num_key_value_heads": 2}
SETTINGS = {"data.tasks": "tasks.jsonl", "sft.max_epochs": 20, "sft.patience": 20, "sft.batch_size": 16,
            "sft.learning_rate": 2e-3, "grpo.steps": 300, "grpo.learning_rate": 3e-4,
            "eval.samples": 16, "eval.greedy": "false", "reward_audit.prompts": 0}


class Arithmetic(PlumbCase):
    def run_plumb(self, command, model, out, **settings):
        settings = SETTINGS | {key.replace("__", "."): value for key, value in settings.items()}
        result = self.plumb(command, "--config", REPOSITORY / "configs/arithmetic.toml", "--model", model, "--out", out,
                            *overrides(settings), timeout=300)
        self.assertEqual(result.returncode, 0, result.stderr)

    def accuracy(self, model, name):
        self.run_plumb("eval", model, name)
        evaluation = json.loads((self.folder / name / "evals/eval-test-T1.json").read_text())
        successes = [value for prompt in evaluation["prompts"] for value in prompt["successes"]]
        return 100 * sum(successes) / len(successes)

    def test_grpo_learns_what_sft_began_and_permuted_rewards_do_not(self):
        source = self.folder / "model"
        shutil.copytree(REPOSITORY / "datasets/arithmetic/model", source)
        config = json.loads((source / "config.json").read_text()) | SMALLER
        (source / "config.json").write_text(json.dumps(config))
        rows = [json.loads(line) for line in (REPOSITORY / "datasets/arithmetic/tasks.jsonl").read_text().splitlines()]
        sums = [row for row in rows if row["template"] == "add" and int(row["answer"]) <= 40]
        for row in sums:
            row["split"] = row["split"].replace("rl", "sft")  # few as they are
        (self.folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in sums))
        result = self.plumb("init", source, "start")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.run_plumb("sft", "start", "sft")
        self.run_plumb("grpo", "sft/policy", "grpo")
        self.run_plumb("grpo", "sft/policy", "permuted", grpo__reward_arm="permuted")
        scores = {name: self.accuracy(model, f"eval-{name}") for name, model in
                  (("start", "start"), ("sft", "sft/policy"), ("grpo", "grpo/policy"), ("permuted", "permuted/policy"))}
        self.assertLess(scores["start"], 1, scores)
        self.assertTrue(7 < scores["sft"] < 40, scores)
        self.assertGreater(scores["grpo"], scores["sft"] + 10, scores)
        self.assertLess(scores["permuted"], scores["sft"] + 5, scores)


if __name__ == "__main__":
    unittest.main()
