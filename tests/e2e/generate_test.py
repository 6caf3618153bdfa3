"""plumb generate and plumb score on a tiny random model: rows in, rows out, bad rows told apart, interrupted files gone
on with to the same bytes, and the two agreeing on every log-prob."""

import json
import pathlib
import tempfile
import unittest

from plumb_case import PlumbCase
from tiny_model import write_tiny_model


class Rows(PlumbCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="plumb_e2e_model_")
        cls.addClassCleanup(scratch.cleanup)
        cls.model = write_tiny_model(pathlib.Path(scratch.name) / "tiny")

    def write_rows(self, name, rows):
        text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
        (self.folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))

    def read_rows(self, name):
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def run_rows(self, command, *more, out="out.jsonl", status=0):
        result = self.plumb(command, "--model", self.model, "--in", "in.jsonl", "--out", out, *more)
        self.assertEqual(result.returncode, status, result.stderr)
        return result


class Generate(Rows):
    PROMPTS = [{"id": f"p{i}", "prompt": "Say " + "something " * i} for i in range(6)]

    def generate(self, *more, **options):
        return self.run_rows("generate", "--max-new-tokens", 30, "-n", 3, *more, **options)

    def test_rows_in_order_and_alike_whatever_the_cache_and_threads(self):
        self.write_rows("in.jsonl", self.PROMPTS)
        self.generate("--top-p", 0.9)
        rows = self.read_rows("out.jsonl")
        self.assertEqual([row["id"] for row in rows], [row["id"] for row in self.PROMPTS])
        for row in rows:
            self.assertEqual(len(row["completions"]), 3)
            for completion in row["completions"]:
                self.assertEqual(len(completion["token_ids"]), len(completion["log_probs"]))
                self.assertIn(completion["finish_reason"], ("eos", "length"))
        self.generate("--top-p", 0.9, "--threads", 3, "--cache-mib", 1, out="other.jsonl")
        self.assertEqual((self.folder / "out.jsonl").read_bytes(), (self.folder / "other.jsonl").read_bytes())

    def test_rows_have_their_own_sampling(self):
        self.write_rows("in.jsonl", [
            {"id": "a", "prompt": "x", "sampling": {"temperature": 0, "max_new_tokens": 5}},
            {"id": "b", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "x"}]}])
        self.generate()
        a, b = self.read_rows("out.jsonl")
        self.assertEqual(a["completions"][0], a["completions"][2])
        self.assertLessEqual(len(a["completions"][0]["token_ids"]), 5)
        self.assertNotEqual(b["completions"][0], b["completions"][2])

    def test_bad_rows_get_error_records_and_the_rest_goes_on(self):
        self.write_rows("in.jsonl", [
            {"id": "good", "prompt": "x"}, "{", {"id": "none"}, {"id": "both", "prompt": "x", "messages": []},
            {"id": "key", "prompt": "x", "sampling": {"top_q": 1}}, {"id": "range", "prompt": "x", "sampling": {"top_p": 2}},
            {"id": "bytes", "prompt": "?"}, {"id": "long", "prompt": "word " * 3000}, {"id": "last", "prompt": "y"}])
        broken = (self.folder / "in.jsonl").read_bytes().replace(b'"?"', b'"\xff"')
        (self.folder / "in.jsonl").write_bytes(broken)
        result = self.generate()
        rows = {row["id"]: row for row in self.read_rows("out.jsonl")}
        self.assertIn("completions", rows["good"])
        self.assertIn("completions", rows["last"])
        for name, word in (("line:2", "JSON object"), ("none", "prompt"), ("both", "either"), ("key", "top_q"),
                           ("range", "top_p = 2"), ("line:7", "UTF-8"), ("long", "context of 1024")):
            self.assertIn(word, rows[name]["error"])
        self.assertIn("7 rows have an error record", result.stderr)

    def test_a_torn_output_is_gone_on_with_to_the_same_bytes(self):
        self.write_rows("in.jsonl", self.PROMPTS)
        self.generate()
        whole = (self.folder / "out.jsonl").read_bytes()
        (self.folder / "torn.jsonl").write_bytes(whole[:len(whole) // 2])
        refused = self.plumb("generate", "--model", self.model, "--in", "in.jsonl", "--out", "torn.jsonl")
        self.assert_refused(refused, 1, "torn.jsonl", "--resume")
        self.generate("--resume", out="torn.jsonl")
        self.assertEqual((self.folder / "torn.jsonl").read_bytes(), whole)

    def test_a_prompt_is_answered_on_the_terminal(self):
        arguments = ["generate", "--model", self.model, "--prompt", "x", "--max-new-tokens", 20, "--seed", 3]
        streamed = self.plumb(*arguments)
        self.assertEqual(streamed.returncode, 0, streamed.stderr)
        twice = self.plumb(*arguments, "-n", 2)
        self.assertTrue(twice.stdout.startswith(streamed.stdout.rstrip("\n")))

    def test_what_cannot_be(self):
        self.assert_refused(self.plumb("generate", "--model", self.model), 1, "--prompt", "--in")
        self.write_rows("in.jsonl", [{"id": "a", "prompt": "x"}, {"id": "a", "prompt": "y"}])
        self.plumb("generate", "--model", self.model, "--in", "in.jsonl", "--out", "out.jsonl")
        rows = self.read_rows("out.jsonl")
        self.assertEqual([row["id"] for row in rows], ["a", "line:2"])
        self.assertIn('the id "a" is used twice', rows[1]["error"])


class Score(Rows):
    def test_equals_what_generate_sampled_with(self):
        self.write_rows("in.jsonl", [{"id": "p", "prompt": "Say it"}])
        self.run_rows("generate", "-n", 1, "--max-new-tokens", 30, out="sampled.jsonl")
        completion = self.read_rows("sampled.jsonl")[0]["completions"][0]
        prompt = "<|im_start|>user\nSay it<|im_end|>\n<|im_start|>assistant\n"
        self.write_rows("in.jsonl", [{"id": "text", "text": prompt}])
        self.run_rows("score", out="prompt.jsonl")
        tokens = self.read_rows("prompt.jsonl")[0]["tokens"] + completion["token_ids"]
        self.write_rows("in.jsonl", [{"id": "noise", "tokens": [5, 6, 7, 8]}, {"id": "all", "tokens": tokens}])
        self.run_rows("score", "--top", 3)
        noise, scored = self.read_rows("out.jsonl")
        self.assertEqual(scored["log_probs"][-len(completion["token_ids"]):], completion["log_probs"])
        self.assertIsNone(scored["log_probs"][0])
        self.assertIsNone(scored["top"][0])
        for at in range(1, 4):
            top = noise["top"][at]
            self.assertEqual(len(top), 3)
            self.assertEqual([value for _, value in top], sorted((value for _, value in top), reverse=True))
            self.assertGreaterEqual(top[0][1], noise["log_probs"][at])

    def test_bad_rows_get_error_records_and_the_rest_goes_on(self):
        self.write_rows("in.jsonl", [{"id": "a", "tokens": [1, 2]}, {"id": "b", "tokens": []}, {"id": "c", "tokens": [480]},
                                     {"id": "d", "tokens": [1] * 1025}, {"id": "e", "text": 5}, {"id": "f", "text": "ok"}])
        self.run_rows("score")
        rows = {row["id"]: row for row in self.read_rows("out.jsonl")}
        for name, word in (("b", "no token"), ("c", "vocabulary of 480"), ("d", "context of 1024"), ("e", "text")):
            self.assertIn(word, rows[name]["error"])
        self.assertEqual(len(rows["a"]["log_probs"]), 2)
        self.assertEqual(len(rows["f"]["log_probs"]), len(rows["f"]["tokens"]))


if __name__ == "__main__":
    unittest.main()
