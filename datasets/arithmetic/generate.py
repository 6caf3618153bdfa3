#!/usr/bin/env python3
"""Writes tasks.jsonl, all sums and differences that the primer's first templates can ask for, and model/, a mixture of
experts of 3M parameters without weights whose tokenizer is learned from these tasks.

Usage: generate.py [FOLDER]   (default: this folder). Standard library only; the same bytes on every run.
"""

import collections
import json
import pathlib
import random
import re
import sys

# Shares of the pairs of numbers. 3 + 5, 5 + 3, 3 - 5 and 5 - 3 are one pair, and no pair is in two splits.
SHARES = {"sft": 0.50, "rl": 0.30, "dev": 0.04, "test": 0.16}
SPECIALS = ["<|user|>", "<|assistant|>", "<|end|>"]
INSTRUCTION = "\nPut the final answer in \\boxed{}."  # what plumb adds to a maths question (docs/records.md)

CONFIG = {
    "architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "hidden_act": "silu", "hidden_size": 128,
    "intermediate_size": 224, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 32,
    "num_local_experts": 8, "num_experts_per_tok": 2, "max_position_embeddings": 256, "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0, "sliding_window": None, "tie_word_embeddings": True, "bos_token_id": None,
    "eos_token_id": SPECIALS.index("<|end|>")}
TEMPLATE = ("{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
            "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}")


def tasks():
    """The ranges and words of `_add` and `_subtract` in the primer's math_templates.py."""
    sums = [("add", f"{a} + {b}", a + b) for a in range(1, 41) for b in range(1, 41)]
    differences = [("subtract", f"{a} - {b}", a - b) for a in range(1, 61) for b in range(1, 61)]
    rows = [(tuple(sorted(map(int, re.findall(r"\d+", term)))), template, term, value)
            for template, term, value in sums + differences]
    pairs = sorted({row[0] for row in rows})
    numbers = random.Random(3)
    numbers.shuffle(pairs)
    numbers.shuffle(rows)
    split_of, first = {}, 0.0
    for split, share in SHARES.items():
        split_of |= dict.fromkeys(pairs[round(first):round(first + share * len(pairs))], split)
        first += share * len(pairs)
    for split in SHARES:
        for pair, template, term, value in rows:
            if split_of[pair] != split:
                continue
            yield {"id": f"arithmetic/{term.replace(' ', '')}", "template": template, "split": split,
                   "data_source": "arithmetic", "license": "Apache-2.0", "question": f"What is {term}?",
                   "answer": str(value), "worked": f"\\boxed{{{value}}}"}


def byte_letters():
    """GPT-2's letters for bytes: printable ones stand for themselves, the others for U+0100 and on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def learn_merges(texts, count):
    """Byte-pair encoding (Sennrich et al. 2016) on words split as Digits and ByteLevel split them."""
    letters = byte_letters()
    words = collections.Counter(word for text in texts for word in re.findall(r"\d| ?[A-Za-z]+| ?[^\sA-Za-z0-9]+|\s+", text))
    words = {tuple(letters[byte] for byte in word.encode()): times for word, times in words.items()}
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += times
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        merged = {}
        for word, times in words.items():
            at, parts = 0, []
            while at < len(word):
                step = 2 if word[at:at + 2] == best else 1
                parts.append("".join(word[at:at + step]))
                at += step
            merged[tuple(parts)] = times
        words = merged
    return merges


def tokenizer(texts):
    merges = learn_merges(texts, 512 - 256 - len(SPECIALS))
    tokens = SPECIALS + sorted(byte_letters().values()) + ["".join(merge) for merge in merges]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for i, text in enumerate(SPECIALS)],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, level]},
        "post_processor": None, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {token: i for i, token in enumerate(tokens)}, "merges": merges}}


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(tasks())
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows), encoding="utf-8")
    learned = tokenizer([row["question"] + INSTRUCTION + row["worked"] for row in rows])
    config = CONFIG | {"vocab_size": -len(learned["model"]["vocab"]) // 16 * -16}
    (folder / "model").mkdir(exist_ok=True)
    for name, content in (("config", config), ("tokenizer", learned),
                          ("tokenizer_config", {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>",
                                                "chat_template": TEMPLATE})):
        (folder / "model" / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
