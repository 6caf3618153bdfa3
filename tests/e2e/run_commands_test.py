"""What the training and evaluating subcommands refuse before they start, and that configs read back to themselves."""

import json
import re
import unittest

from plumb_case import REPOSITORY, PlumbCase

TASK = {"id": "twice", "description": "returns twice the number.",
        "function": {"name": "twice", "parameters": [{"name": "n", "type": "int"}], "returns": "int"},
        "tests": [{"args": [3], "result": 6}]}


class RunCommands(PlumbCase):
    COMMANDS = ("sft", "grpo", "eval", "quickstart")

    def setUp(self):
        super().setUp()
        (self.folder / "mine.jsonl").write_text(json.dumps(TASK) + "\n")

    def config(self, text):
        path = self.folder / "run.toml"
        path.write_text(text)
        return path

    def each(self):
        for command in self.COMMANDS:
            with self.subTest(command):
                yield command

    def test_unknown_key_names_file_line_and_nearest(self):
        path = self.config("[grpo]\nlearning_rat = 1e-5\n")
        for command in self.each():
            self.assert_refused(self.plumb(command, "--config", path), 1, "run.toml:2",
                                "unknown key grpo.learning_rat", "nearest known one is grpo.learning_rate")

    def test_unknown_override(self):
        for command in self.each():
            self.assert_refused(self.plumb(command, "--set", "grpo.grop_size=4"), 1, "--set grpo.grop_size=4",
                                "nearest known one is grpo.group_size")

    def test_bad_values(self):
        self.assert_refused(self.plumb("grpo", "--set", "grpo.group_size=0"), 1, "grpo.group_size", "expected integer",
                            "found 0")
        self.assert_refused(self.plumb("grpo", "--set", "model.dtype=f16"), 1, "model.dtype", "f32|bf16", "f16")
        self.assert_refused(self.plumb("grpo", "--config", self.config("[grpo\n")), 1, "run.toml:1", "not valid TOML")
        self.assert_refused(self.plumb("grpo", "--config", "absent.toml"), 1, "absent.toml", "cannot be read")

    def test_every_published_config_resolves_and_reads_back(self):
        published = sorted((REPOSITORY / "configs").glob("*.toml"))
        self.assertTrue(published)
        for path in published:
            with self.subTest(path.name):
                first = self.plumb("grpo", "--config", path, "--print-config")
                self.assertEqual(first.returncode, 0, first.stderr)
                again = self.plumb("grpo", "--config", self.config(first.stdout), "--print-config")
                self.assertEqual(again.stdout, first.stdout)

    def test_overrides_win_over_files(self):
        path = self.config("[grpo]\nsteps = 7\n")
        result = self.plumb("grpo", "--config", path, "--set", "grpo.steps=9", "--print-config")
        self.assertTrue(re.search(r"^steps = 9 ", result.stdout, re.MULTILINE), result.stdout)

    def test_absent_model(self):
        for command in ("grpo", "eval"):
            result = self.plumb(command, "--model", "absent.gguf", "--data", "mine.jsonl", "--out", "run")
            self.assert_refused(result, 1, "absent.gguf")
            self.assertFalse((self.folder / "run").exists())

    def test_damaged_model(self):
        (self.folder / "broken.gguf").write_bytes(b"GGUF" + b"\xff" * 60)
        result = self.plumb("grpo", "--model", "broken.gguf", "--data", "mine.jsonl", "--out", "run")
        self.assert_refused(result, 1, "broken.gguf")

    def test_invalid_record_names_line_and_key(self):
        broken = TASK | {"tests": [{"args": [3, 4], "result": 6}]}
        (self.folder / "mine.jsonl").write_text(json.dumps(TASK) + "\n" + json.dumps(broken) + "\n")
        result = self.plumb("grpo", "--model", "absent.gguf", "--data", "mine.jsonl", "--out", "run")
        self.assert_refused(result, 1, "mine.jsonl:2", "tests[0].args")


if __name__ == "__main__":
    unittest.main()
