"""plumb convert and plumb plan: a tiny model through every kind of file and back, as a mixture of experts, and what the
published 16B and 236B configs add up to."""

import json
import math
import pathlib
import shutil
import re
import tempfile
import unittest

from plumb_case import REPOSITORY, PlumbCase
from tiny_model import SHAPE, read_tensors, write_tiny_model


class Convert(PlumbCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="plumb_e2e_model_")
        cls.addClassCleanup(scratch.cleanup)
        cls.model = write_tiny_model(pathlib.Path(scratch.name) / "tiny")

    def convert(self, *arguments):
        result = self.plumb("convert", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def log_probs(self, model):
        (self.folder / "in.jsonl").write_text(json.dumps({"text": "def f(x): return x"}) + "\n")
        result = self.plumb("score", "--model", model, "--in", "in.jsonl", "--out", "scores.jsonl")
        self.assertEqual(result.returncode, 0, result.stderr)
        row = json.loads((self.folder / "scores.jsonl").read_text())
        (self.folder / "scores.jsonl").unlink()
        return row["log_probs"][1:]

    def test_init_writes_a_model_to_train_from_scratch(self):
        source = REPOSITORY / "datasets/arithmetic/model"
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            result = self.plumb("init", source, name, "--seed", seed)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("mixtral, 3.1M parameters, 1.0M of them for a token, f32", result.stdout)
        a, b, c = (read_tensors(self.folder / name / "model.safetensors") for name in "abc")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)
        # Nearly uniform over the vocabulary of 304.
        self.assertTrue(all(abs(value + math.log(304)) < 1 for value in self.log_probs("a")))
        for name in ("config.json", "tokenizer.json"):
            folder = self.folder / f"without-{name}"
            shutil.copytree(source, folder)
            (folder / name).unlink()
            self.assert_refused(self.plumb("init", folder, "d"), 1, name)
        self.assert_refused(self.plumb("init", source, "d", "--deviation", "nan"), 1, "--deviation")
        huge = self.folder / "huge"
        shutil.copytree(source, huge)
        shutil.copy(REPOSITORY / "configs/models/deepseek-v2.json", huge / "config.json")
        self.assert_refused(self.plumb("init", huge, "d"), 1, "GiB of memory")
        self.assert_refused(self.plumb("init", source, "a"), 1, "a: is there already, and init overwrites nothing")

    def test_folder_to_gguf_and_back_is_the_same_model(self):
        self.convert(self.model, "m.gguf")
        self.convert("m.gguf", "back")
        self.assertEqual(read_tensors(self.folder / "back/model.safetensors"),
                         read_tensors(self.model / "model.safetensors"))
        self.assertEqual(self.log_probs("m.gguf"), self.log_probs(self.model))

    def test_a_vocabulary_wider_than_its_tokens_survives(self):
        model = write_tiny_model(self.folder / "wide", shape=SHAPE | {"vocab_size": 500})
        self.convert(model, "m.gguf")
        self.convert("m.gguf", "back")
        self.assertEqual(json.loads((self.folder / "back/config.json").read_text())["vocab_size"], 500)
        self.assertEqual(read_tensors(self.folder / "back/model.safetensors"),
                         read_tensors(model / "model.safetensors"))
        tokens = [sorted(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
                  for folder in (self.folder / "back", model)]
        self.assertEqual(*tokens)
        self.assertEqual(self.log_probs("m.gguf"), self.log_probs(model))

    def test_tokenizers_of_llama_3_and_qwen_keep_their_ids(self):
        golden = REPOSITORY / "tests/golden"
        texts = [json.loads(line)["text"] for line in (golden / "tokenizer_kinds.jsonl").read_text().splitlines()]
        rows = "".join(json.dumps({"text": text}) + "\n" for text in texts if text)
        for kind in ("llama3", "qwen2"):
            model = write_tiny_model(self.folder / kind, shape=SHAPE | {"vocab_size": 512})
            (model / "tokenizer.json").write_text((golden / f"tokenizer_kind_{kind}.json").read_text())
            (model / "tokenizer_config.json").write_text(json.dumps(
                {"chat_template": "{{ messages }}", "bos_token": "<|begin|>", "eos_token": "<|end|>"}))
            self.convert(model, f"{kind}.gguf")
            self.convert(f"{kind}.gguf", f"{kind}-back")
            (self.folder / "in.jsonl").write_text(rows)
            found = []
            for source in (model, f"{kind}.gguf", f"{kind}-back"):
                result = self.plumb("score", "--model", source, "--in", "in.jsonl", "--out", "scores.jsonl")
                self.assertEqual(result.returncode, 0, result.stderr)
                found.append((self.folder / "scores.jsonl").read_text())
                (self.folder / "scores.jsonl").unlink()
            self.assertGreater(found[0].count("\n"), 200)
            self.assertEqual(found[1:], [found[0]] * 2)

    def test_an_upcycled_model_starts_with_the_dense_ones_outputs(self):
        said = self.convert(self.model, "moe", "--upcycle", "experts=5,topk=2")
        self.assertIn("mixtral", said)
        config = json.loads((self.folder / "moe/config.json").read_text())
        self.assertEqual(config["architectures"], ["MixtralForCausalLM"])
        self.assertEqual((config["num_local_experts"], config["num_experts_per_tok"]), (5, 2))
        for dense, mixture in zip(self.log_probs(self.model), self.log_probs("moe")):
            self.assertAlmostEqual(dense, mixture, delta=1e-4)
        self.convert("moe", "moe.gguf")
        self.assertEqual(self.log_probs("moe.gguf"), self.log_probs("moe"))
        self.convert("moe", "moe-q8.gguf", "--dtype", "q8_0")
        self.assertLess((self.folder / "moe-q8.gguf").stat().st_size, (self.folder / "moe.gguf").stat().st_size / 2)

    def test_nothing_is_written_over(self):
        (self.folder / "thesis").mkdir()
        (self.folder / "thesis/chapter.txt").write_text("all I have")
        (self.folder / "notes.gguf").write_text("x")
        (self.folder / "aside.tmp").mkdir()
        (self.folder / "aside.tmp/chapter.txt").write_text("x")
        (self.folder / "link").symlink_to("thesis")
        for target in ("thesis", "thesis/", "notes.gguf", "link", "aside", self.model):
            self.assert_refused(self.plumb("convert", self.model, target), 1, "overwrites nothing")
        self.assertEqual((self.folder / "thesis/chapter.txt").read_text(), "all I have")
        for target in ("./", "..", "."):
            self.assertEqual(self.plumb("convert", self.model, target).returncode, 1)
        (self.folder / "empty").mkdir()
        for target in ("new/", "empty"):
            self.convert(self.model, target)
            self.assertEqual(self.log_probs(target), self.log_probs(self.model))

    def test_tensors_that_do_not_fit_the_config(self):
        def changed(name, **keys):
            shutil.copytree(self.model, self.folder / name)
            config = json.loads((self.model / "config.json").read_text()) | keys
            (self.folder / name / "config.json").write_text(json.dumps(config))
            return name
        for name, keys, words in (("fewer", {"num_hidden_layers": 1}, "model.layers.1."),
                                  ("more", {"num_hidden_layers": 3}, "lacks the tensor model.layers.2."),
                                  ("wide", {"intermediate_size": 96}, "[128, 64]"),
                                  ("huge", {"vocab_size": 1 << 30}, "model.embed_tokens.weight"),
                                  ("untied", {"tie_word_embeddings": False}, "lm_head.weight")):
            model = changed(name, **keys)
            self.assert_refused(self.plumb("convert", model, "out"), 1, words, "use the files of one model")
            self.assert_refused(self.plumb("generate", "--model", model, "--prompt", "x"), 1, words)

    def test_a_far_context_costs_nothing_until_it_is_used(self):
        shutil.copytree(self.model, self.folder / "far")
        config = json.loads((self.model / "config.json").read_text()) | {"max_position_embeddings": 2**31 - 1}
        (self.folder / "far/config.json").write_text(json.dumps(config))
        self.assertEqual(self.log_probs("far"), self.log_probs(self.model))

    def test_a_model_without_a_chat_template_can_be_scored(self):
        shutil.copytree(self.model, self.folder / "base")
        (self.folder / "base/tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}))
        self.assertEqual(self.log_probs("base"), self.log_probs(self.model))
        self.assert_refused(self.plumb("generate", "--model", "base", "--prompt", "x"), 1, "template")

    def test_every_end_of_a_completion_survives(self):
        shutil.copytree(self.model, self.folder / "ends")
        (self.folder / "ends/generation_config.json").write_text(json.dumps({"eos_token_id": [2, 5, 7]}))
        self.convert("ends", "ends.gguf")
        self.convert("ends.gguf", "back")
        for folder in ("ends", "back"):
            self.convert(folder, folder + "-again")
            written = json.loads((self.folder / (folder + "-again") / "generation_config.json").read_text())
            self.assertEqual(written["eos_token_id"], [2, 5, 7])
        (self.folder / "ends/generation_config.json").write_text(json.dumps({"eos_token_id": [2, 5, 7, 9]}))
        self.assert_refused(self.plumb("convert", "ends", "more.gguf"), 1, "4 tokens end a completion")

    def test_refusals(self):
        self.assert_refused(self.plumb("convert", self.model, "x", "--upcycle", "experts=99999999999999999999,topk=1"), 1,
                            "expected experts=")
        self.assert_refused(self.plumb("convert", self.model, "x", "--upcycle", ""), 1, "found nothing")
        self.assert_refused(self.plumb("convert", self.model, "x", "--upcycle", "expert=8"), 1, "expected experts=")
        self.assert_refused(self.plumb("convert", self.model, "x", "--upcycle", "experts=2,topk=4"), 1, "4 experts of 2")
        self.assert_refused(self.plumb("convert", self.model, "x", "--dtype", "q8_0"), 1, ".gguf")
        self.assert_refused(self.plumb("convert", "absent", "x"), 1, "absent")


class Plan(PlumbCase):
    def test_published_totals(self):
        for name, total, active in (("deepseek-v2-lite", 15.7, 2.4), ("deepseek-v2", 236, 21)):
            result = self.plumb("plan", REPOSITORY / f"configs/models/{name}.json")
            self.assertEqual(result.returncode, 0, result.stderr)
            found = {key.strip(): float(value) for key, value in
                     re.findall(r"^(.+?)\s+([\d.]+) B$", result.stdout, re.MULTILINE)}
            self.assertAlmostEqual(found["parameters"] / total, 1, delta=0.005, msg=result.stdout)
            self.assertAlmostEqual(found["of a token, without looked-up embeddings"] / active, 1, delta=0.03,
                                   msg=result.stdout)

    def test_refusals(self):
        (self.folder / "config.json").write_text("{}")
        self.assert_refused(self.plumb("plan", "config.json"), 1, "config.json", "architectures")
        self.assert_refused(self.plumb("plan", "absent.json"), 1, "absent.json")


if __name__ == "__main__":
    unittest.main()
