"""Compares plumb's tokenizer with Hugging Face's `tokenizers` on many strings of every kind; prints one line per kind.

usage: compare_with_hugging_face.py TOKENIZER_TOOL [--count 100000] [--seed 1] [--text FILE]... [--tokenizer FILE]...

TOKENIZER_TOOL is the target tokenizer_tool of the build. Per kind of tests/golden/make_tokenizer_kinds.py a vocabulary of
3000 tokens is trained on the texts (default: the sources of this repository); the strings are half random ones, half pieces
of the texts of random length. --tokenizer adds a tokenizer.json of yours. Exit status 1 on any difference in ids.
Needs what make_tokenizer_kinds.py needs.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "golden"))

from make_tokenizer import CORPUS  # noqa: E402
from make_tokenizer_kinds import KINDS, NUMBERS, kind_strings  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402


def real_texts(files):
    files = files or sorted(p for s in ("*.cc", "*.h", "*.py", "*.md") for p in ROOT.rglob(s) if "build" not in p.parts)
    return [pathlib.Path(f).read_text(encoding="utf-8", errors="ignore") for f in files]


def strings(count, seed, texts):
    rng = random.Random(seed)
    out = kind_strings(count // 2, seed)
    while len(out) < count:
        text = rng.choice(texts)
        begin = rng.randrange(len(text) + 1)
        out.append(text[begin:begin + rng.choice([5, 20, 80, 300])])
    return out


def compare(name, tokenizer, path, tool, texts):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    answer = subprocess.run([tool, "ids", path], input=lines, capture_output=True, text=True, check=True)
    ours = [json.loads(line)[0] for line in answer.stdout.splitlines()]
    theirs = [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
    different = [i for i in range(len(texts)) if ours[i] != theirs[i]]
    print(f"{name}: {len(texts)} strings, {sum(map(len, theirs))} tokens, {len(different)} differ", flush=True)
    if different:
        first = min(different, key=lambda i: len(texts[i]))
        print(f"  {texts[first]!r}: expected {theirs[first]}, got {ours[first]}")
    return not different


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--text", action="append", default=[])
    parser.add_argument("--tokenizer", action="append", default=[])
    options = parser.parse_args()
    texts = [text for text in real_texts(options.text) if text]
    samples = strings(options.count, options.seed, texts)
    equal = True
    with tempfile.TemporaryDirectory() as folder:
        for name, make in KINDS.items():
            tokenizer = make(3000, [CORPUS, NUMBERS] + texts)
            path = f"{folder}/{name}.json"
            tokenizer.save(path)
            equal &= compare(name, tokenizer, path, options.tool, samples)
        for path in options.tokenizer:
            equal &= compare(path, Tokenizer.from_file(path), path, options.tool, samples)
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
