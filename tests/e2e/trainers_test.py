"""What SFT, GRPO and reward models have in common."""

import json
import re
import struct
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
        self.assertEqual(defaults, {"sft": ("2e-05", '"constant"', "-1.0"), "grpo": ("1e-05", '"linear"', "-1.0"),
                                    "rm": ("1e-05", '"cosine"', "-1.0")})

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
            # A cosine ends at a tenth unless it is told otherwise.
            for decay, expected, to in (("linear", (1, 0.875, 0.75, 0.625), 0.5), ("wsd", (1, 1, 1, 0.75), 0.5),
                                        ("cosine", (1, 0.868198, 0.55, 0.231802), -1)):
                with self.subTest(section, decay=decay):
                    _, rates = self.train(section, f"{section}-{decay}", learning_rate=1e-3, decay=decay,
                                          final_fraction=to, decay_share=0.5)
                    for rate, share in zip(rates, expected, strict=True):
                        self.assertAlmostEqual(rate, 1e-3 * share, places=9)

    def spoil(self, name, value=3e38):
        """The model with one tensor of numbers that are finite in themselves."""
        path = self.folder / "model/model.safetensors"
        content = path.read_bytes()
        size = struct.unpack("<Q", content[:8])[0]
        begin, end = json.loads(content[8:8 + size])[name]["data_offsets"]
        data = bytearray(content)
        data[8 + size + begin:8 + size + end] = struct.pack("<f", value) * ((end - begin) // 4)
        path.write_bytes(bytes(data))

    def assert_stopped(self, result, run, *words):
        self.assertEqual(result.returncode, 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr.splitlines()[-1])
        self.assertFalse((self.folder / run / "policy").exists())
        path = self.folder / run / "bad-batch.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def test_a_loss_that_is_not_finite_names_its_batch_and_before_any_update_the_weights(self):
        self.spoil("model.norm.weight")
        at_fault = ("step 1", "not finite", "no update was made before it", "the weights or the data are at fault")
        rows = self.assert_stopped(self.start("sft", "sft"), "sft", "sft/bad-batch.jsonl", *at_fault)
        self.assertEqual(len(rows), 2)
        for row in rows:
            text = TEXTS[int(row["id"].rsplit(":", 1)[1]) - 1]["text"]
            self.assertEqual(row["text"], text + "<|im_end|>")
            self.assertEqual(row["trained"], [0] + [1] * (len(row["text_tokens"]) - 1))
        rows = self.assert_stopped(self.start("rm", "rm"), "rm", "rm/bad-batch.jsonl", *at_fault)
        self.assertEqual(len(rows), 2)
        for row in rows:
            pair = next(pair for pair in PAIRS if pair["prompt"] in row["prompt"])
            self.assertEqual((row["chosen"], row["rejected"]),
                             (pair["chosen"] + "<|im_end|>", pair["rejected"] + "<|im_end|>"))
            self.assertEqual(row["chosen_tokens"][-1], 2)
        self.assert_stopped(self.start("grpo", "grpo"), "grpo", "not numbers", "its weights are damaged")  # its actor's

    def test_gradients_that_are_never_finite_are_no_fault_of_the_learning_rate(self):
        self.spoil("model.norm.weight", 1e35)  # finite log-probs, and squares of gradients that are not
        for section in ("sft", "rm"):
            result = self.start(section, section)
            rows = self.assert_stopped(result, section, "more than 3 updates in a row", "the last at step 4",
                                       f"{section}/bad-batch.jsonl", "the weights or the data are at fault")
            self.assertEqual(len(rows), 2)
            self.assertIn("note: step 3 changed nothing", result.stderr)

    def test_after_an_update_the_learning_rate_is_named(self):
        steps = []
        for bad in range(4):
            rows = [pair | {"margin": 1e308 if number == bad else 0} for number, pair in enumerate(PAIRS)]
            (self.folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            result = self.start("rm", f"rm-{bad}", margin_scale=1000)
            batch = self.assert_stopped(result, f"rm-{bad}", f"rm-{bad}/bad-batch.jsonl", "is not finite")
            self.assertIn(f"Say {bad}.", "".join(row["prompt"] for row in batch))
            steps.append(int(re.search(r"the loss of step (\d)", result.stderr)[1]))
            words = {1: "the weights or the data are at fault", 2: "lower rm.learning_rate"}
            self.assertIn(words[steps[-1]], result.stderr.splitlines()[-1])
        self.assertEqual(sorted(steps), [1, 1, 2, 2])

    def test_a_dev_loss_that_is_not_finite_is_no_silent_end(self):
        self.spoil("model.norm.weight")
        dev = [{"text": "nine", "split": "dev"}]
        (self.folder / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TEXTS + dev))
        self.assert_stopped(self.start("sft", "sft"), "sft", "dev loss before training", "the weights or the data")


if __name__ == "__main__":
    unittest.main()
