"""What `plumb sft` learns from each shape of row: the tokens of its loss, by log-probs that `plumb score` gives."""

import json
import math
import os
import shutil
import subprocess
import unittest

from tiny_model import write_tiny_model, write_tiny_model_that_fills_in
from training_case import overrides
from plumb_case import PlumbCase

END = 2  # <|im_end|>, the tiny model's end of turn and of sequence
TURNS = [{"role": "user", "content": "count"}, {"role": "assistant", "content": "one two"},
         {"role": "user", "content": "more"}, {"role": "assistant", "content": "\nthree"}]


class Sft(PlumbCase):
    def setUp(self):
        super().setUp()
        self.model = write_tiny_model(self.folder / "model")

    def rows(self, name, rows):
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return self.folder / name

    def score(self, **row):
        result = self.plumb("score", "--model", self.model, "--dtype", "f32", "--in", self.rows("in.jsonl", [row]),
                            "--out", "out.jsonl")
        self.assertEqual(result.returncode, 0, result.stderr)
        answer = json.loads((self.folder / "out.jsonl").read_text())
        (self.folder / "out.jsonl").unlink()
        return answer

    def sft(self, out, rows, *more, **settings):
        """One run of one step that moves no weight: its result, and the rows of its metrics."""
        settings = {"sft.learning_rate": 0, "sft.max_epochs": 1, "model.dtype": "f32",
                    **{key.replace("__", "."): value for key, value in settings.items()}}
        result = self.plumb("sft", "--model", self.model, "--data", self.rows("data.jsonl", rows), "--out", out,
                            *overrides(settings), *more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result, [json.loads(line) for line in (self.folder / out / "metrics.jsonl").read_text().splitlines()]

    def loss_of(self, pieces):
        """Mean loss of the trained pieces, (token ids, whether trained), and how many tokens those are."""
        ids = [token for piece, _ in pieces for token in piece]
        trained = [flag for piece, flag in pieces for _ in piece]
        log_probs = self.score(id=1, tokens=ids)["log_probs"]
        losses = [-log_prob for log_prob, flag in zip(log_probs, trained) if flag and log_prob is not None]
        return sum(losses) / len(losses), len(losses)

    def ids(self, text):
        return self.score(id=1, text=text)["tokens"]

    def chat_pieces(self, every_turn):
        return [(self.ids("<|im_start|>user\ncount<|im_end|>\n<|im_start|>assistant\n"), False),
                (self.ids("one two") + [END], every_turn),
                (self.ids("\n<|im_start|>user\nmore<|im_end|>\n<|im_start|>assistant\n"), False),
                (self.ids("\nthree") + [END], True)]

    def assert_trained_on(self, name, row, pieces, **settings):
        with self.subTest(name):
            loss, tokens = self.loss_of(pieces)
            metrics = self.sft(name, [row], **settings)[1]
            self.assertAlmostEqual(metrics[0]["loss"], loss, places=5)
            self.assertEqual(metrics[0]["num_tokens"], tokens)

    def test_the_loss_is_on_what_the_row_says(self):
        text = "def f(n):\n    return n + 1\n"
        prompt = {"prompt": TURNS[:3], "completion": TURNS[3]["content"]}
        self.assert_trained_on("text", {"text": text}, [(self.ids(text) + [END], True)])
        self.assert_trained_on("every-turn", {"messages": TURNS}, self.chat_pieces(True))
        self.assert_trained_on("last-turn", prompt, self.chat_pieces(False))
        everything = [(ids, True) for ids, _ in self.chat_pieces(True)]
        self.assert_trained_on("all", {"messages": TURNS}, everything, sft__loss_on="all")

    def test_a_reply_that_the_template_rewrites_is_refused(self):
        path = self.model / "tokenizer_config.json"
        config = json.loads(path.read_text())
        config["chat_template"] = config["chat_template"].replace("message['content']", "message['content'] | upper")
        path.write_text(json.dumps(config))
        refused = self.plumb("sft", "--model", self.model, "--data", self.rows("data.jsonl", [{"messages": TURNS}]), "--out",
                             "none")
        self.assertEqual(refused.returncode, 1)
        for words in ("demonstration 'data.jsonl:1'", "shows an earlier reply otherwise", '"completion"'):
            self.assertIn(words, refused.stderr.splitlines()[-1])

    def test_plain_text_needs_no_chat_template_and_is_no_task(self):
        path = self.model / "tokenizer_config.json"
        config = json.loads(path.read_text())
        del config["chat_template"]
        path.write_text(json.dumps(config))
        result, _ = self.sft("text", [{"text": "one"}, {"text": "two"}])
        self.assertIn("no dev loss", result.stdout)
        refused = self.plumb("grpo", "--model", self.model, "--data", "data.jsonl", "--out", "none")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no prompts to train on", refused.stderr.splitlines()[-1])
        long = self.plumb("sft", "--model", self.model, "--data", self.rows("data.jsonl", [{"text": "a b " * 1000}]), "--out",
                          "long")
        self.assertEqual(long.returncode, 1)
        self.assertRegex(long.stderr.splitlines()[-1], r"text 'data.jsonl:1': expected at most 1024 tokens.*found \d{4}")

    def test_rows_that_are_not_learned_from_are_named(self):
        rows = [{"messages": TURNS}, {"messages": TURNS[:3], "id": "half"}, {"text": "one two", "data_source": "b"}]
        result, metrics = self.sft("some", rows, sft__mixture="b=1")
        self.assertRegex(result.stderr, r"note: 1 of 2 rows are passed over.*the first is 'half'")
        self.assertIn("sft.mixture does not name the source user", result.stderr)
        self.assertIn("plumb: sft: 1 examples of", result.stderr)
        self.assertIn("loss/b", metrics[0])
        self.assertIn("source b: 1 examples, about 2.0 passes in sft.max_epochs = 1 epochs of 2 draws", result.stderr)
        rows += [{"text": "one", "data_source": name, "split": "dev"} for name in "bc"]
        result, metrics = self.sft("dev", rows, sft__mixture="b=1")
        self.assertEqual([name for name in metrics[-1] if name.startswith("perplexity/")], ["perplexity/b"])
        twice = self.plumb("sft", "--model", self.model, "--data", "data.jsonl", "--out", "twice", "--set",
                           "sft.mixture=b=0.5,b=0.5")
        self.assertEqual(twice.returncode, 1)
        self.assertIn("the source b is named twice", twice.stderr.splitlines()[-1])
        for share in ("inf", "nan", "1e999"):
            refused = self.plumb("sft", "--model", self.model, "--data", "data.jsonl", "--out", "none", "--set",
                                 f"sft.mixture=b={share}")
            self.assertEqual(refused.returncode, 1)
            self.assertIn(f"a finite share above 0, of the sources b, user; found b={share}",
                          refused.stderr.splitlines()[-1])

    def test_dev_rows_outside_the_mixture_are_named(self):
        rows = [{"text": "one two", "data_source": "b"}, {"text": "three", "data_source": "a"}]
        rows += [{"text": "one", "data_source": "c", "split": "dev"}] * 2
        result, metrics = self.sft("run", rows, sft__mixture="b=1,a=1")
        self.assertIn("sft.mixture does not name the source c: its rows (0 for training, 2 of the split dev)",
                      result.stderr)
        self.assertIn("no dev loss: nothing in the split dev to measure it on", result.stdout)
        self.assertFalse(any("eval_loss" in row for row in metrics))

    def test_own_data_is_trained_on_whatever_its_split_but_dev(self):
        rows = [{"text": f"one {split}", **({"split": split} if split else {})}
                for split in ("", "train", "test", "all", "dev")]
        result, _ = self.sft("own", rows)
        self.assertIn("plumb: sft: 4 examples of", result.stderr)
        self.assertIn("dev loss", result.stdout)
        config = ["sft", "--model", self.model, "--out", "config", "--set", "data.tasks=data.jsonl", "--set",
                  "model.dtype=f32"]
        result = self.plumb(*config)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("plumb: sft: 1 examples of", result.stderr)
        self.rows("data.jsonl", rows[2:])
        refused = self.plumb(*config[:3], "--out", "none", *config[5:])
        self.assertEqual(refused.returncode, 1)
        self.assertIn("the splits all, dev, test", refused.stderr.splitlines()[-1])
        self.assertNotIn("there is no plain text", refused.stderr)
        refused = self.plumb(*config[:3], "--out", "none", "--data", self.rows("data.jsonl", rows[4:]))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("the splits dev", refused.stderr.splitlines()[-1])

    def test_files_of_one_command_have_different_ids(self):
        for folder in ("one", "two"):
            (self.folder / folder).mkdir()
            self.rows(f"{folder}/train.jsonl", [{"prompt": "count", "completion": "one", "id": "same"}])
        files = ["--data", "one/train.jsonl", "--data", "two/train.jsonl"]
        for command in (["sft"], ["eval"], ["grpo"], ["data", "profile"]):
            refused = self.plumb(*command, "--model", self.model, *files, "--out", "none")
            self.assertEqual(refused.returncode, 1)
            for words in ('two/train.jsonl: the id "same" is used in one/train.jsonl, too', "must differ"):
                self.assertIn(words, refused.stderr.splitlines()[-1])
        again = self.plumb("sft", "--model", self.model, *files[:2], "--data", "./one/train.jsonl", "--out", "none")
        self.assertIn("./one/train.jsonl: is given twice", again.stderr.splitlines()[-1])
        for folder in ("one", "two"):
            self.rows(f"{folder}/train.jsonl", [{"text": f"{folder} one"}, {"prompt": "count"}])
        result = self.plumb("sft", "--model", self.model, *files, "--out", "run", "--set", "sft.max_epochs=1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("plumb: sft: 2 examples of", result.stderr)
        self.assertIn("2 of 2 rows are passed over", result.stderr)
        self.assertIn("the first is 'one/train.jsonl:2'", result.stderr)

    def test_dev_losses_and_perplexities_by_source(self):
        rows = [{"text": "one two three", "data_source": "b"},
                {"text": "four", "data_source": "a", "split": "dev"}, {"text": "1 2", "data_source": "b", "split": "dev"}]
        expected = {name: self.loss_of([(self.ids(text) + [END], True)]) for name, text in (("a", "four"), ("b", "1 2"))}
        result, metrics = self.sft("run", rows)
        self.assertRegex(result.stdout, r"dev loss \d")
        self.assertEqual([name for name in metrics[1] if name.startswith("loss/")], ["loss/b"])
        tokens = sum(count for _, count in expected.values())
        mean = sum(loss * count for loss, count in expected.values()) / tokens
        self.assertEqual([row["step"] for row in metrics], [0, 1, 1])  # dev before training, the step, dev after it
        for row in (metrics[0], metrics[2]):
            for name, (loss, _) in expected.items():
                self.assertAlmostEqual(row[f"eval_loss/{name}"], loss, places=5)
                self.assertAlmostEqual(row[f"perplexity/{name}"] / math.exp(loss), 1, places=5)
            self.assertAlmostEqual(row["eval_loss"], mean, places=5)
        self.assertFalse([name for row in self.sft("plain", rows, sft__loss_by_source="false")[1] for name in row if "/" in name])

    def test_a_resume_keeps_one_line_of_the_dev_loss_before_training(self):
        rows = [{"text": f"one two {word}"} for word in ("three", "four", "five")] + [{"text": "six", "split": "dev"}]
        settings = {"sft__max_epochs": 4, "sft__batch_size": 1, "sft__learning_rate": 1e-3}
        whole = self.sft("whole", rows, sft__checkpoint_every=2, **settings)[1]
        self.assertEqual([row["step"] for row in whole if "eval_loss" in row], [0, 3, 6, 9, 12])
        expected = (self.folder / "whole/metrics.jsonl").read_bytes()
        first = expected.splitlines(keepends=True)[0]
        self.assertIn(b'"step":0,', first)
        for name, kept in (("before any step", first), ("within a line", first[:30]), ("in it", first + b'{"stage":"sf')):
            with self.subTest(name):
                shutil.copytree(self.folder / "whole", self.folder / "cut")  # as if killed before a checkpoint
                shutil.rmtree(self.folder / "cut/policy")
                (self.folder / "cut/metrics.jsonl").write_bytes(kept)
                self.sft("cut", rows, "--resume", sft__checkpoint_every=2, **settings)
                self.assertEqual((self.folder / "cut/metrics.jsonl").read_bytes(), expected)
                shutil.rmtree(self.folder / "cut")
        command = ["sft", "--model", self.model, "--data", self.folder / "data.jsonl", "--out", "killed",
                   *overrides({"model.dtype": "f32", "sft.checkpoint_every": 2,
                               **{key.replace("__", "."): value for key, value in settings.items()}})]
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, command)], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "sft epoch 2" in line:
                process.kill()
                break
        process.communicate(timeout=60)
        resumed = self.plumb(*command, "--resume")
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertEqual((self.folder / "killed/metrics.jsonl").read_bytes(), expected)

    def test_a_batch_is_as_many_tokens_as_asked_for(self):
        rows = [{"text": text} for text in ("one two three", "four five", "six", "seven eight nine ten", "eleven")]
        _, metrics = self.sft("run", rows, sft__batch_tokens=12, sft__max_epochs=2)
        steps = [(row["epoch"], row["num_tokens"]) for row in metrics]
        for (epoch, tokens), (_, before), (after, _) in zip(steps, [(0, 0), *steps], [*steps[1:], (0, 0)]):
            self.assertTrue(tokens - before >= 12 or after != epoch, steps)
        self.assertEqual(self.sft("sizes", rows, sft__batch_size=5)[1][0]["num_tokens"] * 2, steps[-1][1])

    def test_texts_are_cut_where_the_tokenizer_has_the_tokens_for_it(self):
        rows = [{"text": "def f(n):\n    return n + 1\n"}]
        settings = {"sft__fim_rate": 1, "sft__max_epochs": 3}
        refused = self.plumb("sft", "--model", self.model, "--data", self.rows("data.jsonl", rows), "--out", "none",
                             "--set", "sft.fim_rate=0.5")
        self.assertEqual(refused.returncode, 1)
        for words in ("sft.fim_rate: expected a tokenizer", "<｜fim▁begin｜>", "<fim_prefix>", "▁<MID>"):
            self.assertIn(words, refused.stderr.splitlines()[-1])
        plain = self.sft("plain", rows, sft__loss_by_source="false")[1][0]
        self.model = write_tiny_model_that_fills_in(self.folder / "cuts")
        _, metrics = self.sft("cut", rows, **settings)
        tokens = [0] + [row["num_tokens"] for row in metrics]
        for before, after in zip(tokens, tokens[1:]):
            self.assertGreaterEqual(after - before, plain["num_tokens"] + 3)
        self.assertEqual(len({row["loss"] for row in metrics}), 3, "every epoch cuts elsewhere")
        self.sft("again", rows, **settings)
        self.assertEqual(*[(self.folder / name / "metrics.jsonl").read_bytes() for name in ("cut", "again")])
        talk = self.plumb("sft", "--model", self.model, "--data", self.rows("data.jsonl", [{"messages": TURNS}]), "--out",
                          "talk", "--set", "sft.fim_rate=0.5")
        self.assertIn("sft.fim_rate: expected rows of plain text", talk.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
