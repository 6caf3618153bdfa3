"""Times plumb's tokenizer beside tiktoken and Hugging Face's `tokenizers`: one vocabulary, one text, one thread, one run.

usage: compare_tokenizers.py TOKENIZER_TOOL GGUF [--text FILE] [--mib 8] [--repetitions 5]

TOKENIZER_TOOL is the target tokenizer_tool of the build; GGUF gives a byte-level vocabulary (SmolLM2's), used with the
patterns of GPT-2 and Llama 3. Bytes that it lacks are added behind it, because tiktoken needs all. The text is the given
file or this repository's sources, repeated to the size. Times are of the processor, so that others on the machine take
little part in them, and each repetition goes through plumb and tiktoken in turn. First checks that all three give the same ids; tiktoken merges by the rank of what is made, so its ids
may differ where two merges compete, and the share that differs is printed. Needs tokenizers, tiktoken and gguf.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tiktoken  # noqa: E402
from gguf import GGUFReader  # noqa: E402
from tokenizers import Regex, Tokenizer, models, pre_tokenizers  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
PATTERNS = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    "llama3": (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
               r"|\s+(?!\S)|\s+"),
}


def letters():
    """The byte-level alphabet: byte -> letter."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(rest)}


def vocabulary(path):
    reader = GGUFReader(path)
    meta = lambda key: reader.fields[key].contents()  # noqa: E731
    kinds = meta("tokenizer.ggml.token_type")
    tokens = [t for t, kind in zip(meta("tokenizer.ggml.tokens"), kinds) if kind == 1]
    tokens += [letter for letter in letters().values() if letter not in set(tokens)]
    return {t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in meta("tokenizer.ggml.merges")]


def hugging_face(vocab, merges, kind):
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind == "gpt2")
    split = pre_tokenizers.Split(Regex(PATTERNS["llama3"]), "isolated")
    tokenizer.pre_tokenizer = plain if kind == "gpt2" else pre_tokenizers.Sequence([split, plain])
    return tokenizer


def tik(vocab, kind):
    bytes_of = {letter: byte for byte, letter in letters().items()}
    ranks = {bytes(bytes_of[c] for c in token): i for token, i in vocab.items()}
    return tiktoken.Encoding("vocabulary", pat_str=PATTERNS[kind], mergeable_ranks=ranks, special_tokens={})


def timed(function):
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def measure(kind, vocab, merges, text, options):
    theirs, fast = hugging_face(vocab, merges, kind), tik(vocab, kind)
    with tempfile.TemporaryDirectory() as folder:
        theirs.save(f"{folder}/tokenizer.json")
        pathlib.Path(folder, "text").write_text(text, encoding="utf-8")
        lines = text.splitlines(keepends=True)[:3000]
        rows = "".join(json.dumps({"text": line}) + "\n" for line in lines)
        ours = subprocess.run([options.tool, "ids", f"{folder}/tokenizer.json"], input=rows, capture_output=True, text=True,
                              check=True).stdout.splitlines()
        if [json.loads(row)[0] for row in ours] != [e.ids for e in theirs.encode_batch(lines)]:
            sys.exit(f"{kind}: plumb and tokenizers differ")
        tik_ids = [fast.encode_ordinary(line) for line in lines]
        differ = sum(json.loads(row)[0] != ids for row, ids in zip(ours, tik_ids)) / len(lines)
        best = {"plumb": 1e9, "tiktoken": 1e9, "tokenizers": 1e9}
        for repetition in range(options.repetitions):
            answer = subprocess.run([options.tool, "time", f"{folder}/tokenizer.json", f"{folder}/text", "1"],
                                    capture_output=True, text=True, check=True)
            best["plumb"] = min(best["plumb"], json.loads(answer.stdout)["seconds"])
            best["tiktoken"] = min(best["tiktoken"], timed(lambda: fast.encode_ordinary(text))[0])
            if repetition == 0:  # an order slower; once will do
                best["tokenizers"] = timed(lambda: theirs.encode(text, add_special_tokens=False))[0]
    size = len(text.encode())
    print(f"{kind}: {size / 1e6:.1f} MB; " + ", ".join(f"{name} {size / s / 1e6:.1f} MB/s" for name, s in best.items()) +
          f"; lines that tiktoken merges otherwise: {differ:.2%}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("gguf")
    parser.add_argument("--text")
    parser.add_argument("--mib", type=int, default=8)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    files = [pathlib.Path(options.text)] if options.text else \
        sorted(p for s in ("*.cc", "*.h", "*.py", "*.md") for p in ROOT.rglob(s) if "build" not in p.parts)
    text = "".join(p.read_text(encoding="utf-8", errors="ignore") for p in files)
    text = (text * (options.mib * 2**20 // max(1, len(text)) + 1))[:options.mib * 2**20]
    vocab, merges = vocabulary(options.gguf)
    for kind in PATTERNS:
        measure(kind, vocab, merges, text, options)


if __name__ == "__main__":
    main()
