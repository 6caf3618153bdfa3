"""What SFT, GRPO and reward models have in common."""

import json
import re
import unittest

from plumb_case import PlumbCase
from tiny_model import write_tiny_model
from training_case import TASKS, overrides

TEXTS = [{"text": text} for text in ("one two three", "four five", "six", "seven eight")]
PAIRS = [{"prompt_id": f"p{n}", "prompt": f"Say {n}.", "chosen": f"{n}", "rejected": f"not {n}"} for n in range(4)]


class Trainers(PlumbCase):
    def setUp(self):
        super().setUp()
        self.model = write_tiny_model(self.folder / "model")
        for name, rows in (("texts", TEXTS), ("pairs", PAIRS), ("tasks", TASKS)):
            (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def start(self, section, out, **settings):
        """A run of `plumb sft` (two updates an epoch), `reward-model` (likewise) or `grpo`."""
        command, data, fixed = {
            "sft": ("sft", ["--data", "texts.jsonl"], {"batch_size": 2, "max_epochs": 2, "warmup_steps": 0}),
            "rm": ("reward-model", ["--pairs", "pairs.jsonl"], {"batch_size": 2, "max_epochs": 2, "warmup_share": 0,
                                                                "dev_share": 0, "good": "Y", "bad": "N"}),
            "grpo": ("grpo", ["--data", "tasks.jsonl"], {"steps": 2, "prompts_per_step": 2, "group_size": 2,
                                                         "min_code_prompts": 0})}[section]
        settings = {f"{section}.{key}": value for key, value in (fixed | settings).items()} | {"model.dtype": "f32"}
        if section == "grpo":
            settings |= {"sampling.max_new_tokens": 8, "reward_audit.prompts": 0}
        return self.plumb(command, "--model", self.model, *data, "--out", out, *overrides(settings))

    def train(self, section, out, **settings):
        """The weights and the learning rates of a run."""
        result = self.start(section, out, **settings)
        self.assertEqual(result.returncode, 0, result.stderr)
        metrics = [json.loads(line) for line in (self.folder / out / "metrics.jsonl").read_text().splitlines()]
        return ((self.folder / out / "policy/model.safetensors").read_bytes(),
                [row["learning_rate"] for row in metrics if "learning_rate" in row])

    def test_the_optimizer_has_the_same_keys_in_every_section(self):
        keys = {}
        for command in ("grpo", "reward-model"):
            for name, body in re.findall(r"^\[(\w+)\]\n(.*?)(?=^\[|\Z)", self.plumb(command, "--print-config").stdout,
                                         re.MULTILINE | re.DOTALL):
                keys[name] = dict(re.findall(r"^(\w+) = (\S+)", body, re.MULTILINE))
        optimizer = {"learning_rate", "decay", "final_fraction", "decay_share", "beta1", "beta2", "weight_decay",
                     "decay_embeddings", "max_grad_norm"}
        for section in ("sft", "grpo", "rm"):
            self.assertLessEqual(optimizer, keys[section].keys(), section)
        defaults = {section: (keys[section]["learning_rate"], keys[section]["decay"], keys[section]["final_fraction"])
                    for section in ("sft", "grpo", "rm")}
        self.assertEqual(defaults, {"sft": ("2e-05", '"constant"', "0.0"), "grpo": ("1e-05", '"linear"', "0.0"),
                                    "rm": ("1e-05", '"cosine"', "0.1")})

    def test_each_key_of_the_optimizer_changes_what_is_trained(self):
        for section in ("sft", "rm"):
            plain = {"learning_rate": 1e-3, "decay": "constant"}
            weights, rates = self.train(section, f"{section}-plain", **plain)
            self.assertEqual(self.train(section, f"{section}-again", **plain), (weights, rates))
            for value in rates:
                self.assertAlmostEqual(value, 1e-3, places=9)
            for key, value in (("beta1", 0.5), ("beta2", 0.5), ("weight_decay", 1), ("decay_embeddings", "false"),
                               ("max_grad_norm", 1e-3)):
                with self.subTest(section, key=key):
                    self.assertNotEqual(self.train(section, f"{section}-{key}", **plain, **{key: value})[0], weights)
            # Four updates: the last half of them linearly to a half of the rate at the end, or all of them.
            for decay, expected in (("linear", (1, 0.875, 0.75, 0.625)), ("wsd", (1, 1, 1, 0.75))):
                with self.subTest(section, decay=decay):
                    _, rates = self.train(section, f"{section}-{decay}", learning_rate=1e-3, decay=decay,
                                          final_fraction=0.5, decay_share=0.5)
                    for rate, share in zip(rates, expected, strict=True):
                        self.assertAlmostEqual(rate, 1e-3 * share, places=9)


if __name__ == "__main__":
    unittest.main()
