"""Makes small tokenizers of every kind that tokenizer/ reads, and the ids that Hugging Face's `tokenizers` gives.

usage: make_tokenizer_kinds.py

Writes beside itself tokenizer_kind_<name>.json, vocabularies of a few hundred tokens trained on make_tokenizer.py's text,
and tokenizer_kinds.jsonl: {"text", <name>: [ids, decoded]}. Needs tokenizers, gguf and jinja2 in a throw-away environment
(the latter two because it takes the texts from make_tokenizer.py). Strings come from a fixed seed. `decoded` is null where
`tokenizers` had to put U+FFFD.
"""

import json
import pathlib
import random

from make_tokenizer import CORPUS, SNIPPETS, WORDS, strings
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
# DeepSeek-V3's three steps: numbers by three, CJK runs, and words of letters with marks.
CJK = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
V3_WORDS = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
            r"""| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""")
# DeepSeek-V2's: line ends, letters, punctuation, white space at a line's end, CJK runs, digits.
NUMBERS = "".join(f"{n} {n}{n} 2{n}9 {n * n}\n" for n in (7, 12, 24, 100, 2024, 31415, 65536)) * 3
V2_STEPS = ["[\r\n]", "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u0400-\u0481]+",
            "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", "\\s+$",
            "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"]


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def byte_level(*steps):
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def marker(text, **options):
    return AddedToken(text, **({"special": True, "normalized": False} | options))


def train(tokenizer, vocab_size, special, corpus):
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, special_tokens=special,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
                                  if isinstance(tokenizer.decoder, decoders.ByteLevel) else [])
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def byte_kind(steps, size, corpus, normalizer=None, special=(), added=(), **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer, tokenizer.decoder = byte_level(*steps), decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    train(tokenizer, size, [marker(s) for s in ("<|begin|>", "<|end|>", *special)], corpus)
    tokenizer.add_tokens(list(added))
    return tokenizer


def llama3(size, corpus):
    tokenizer = byte_kind([split(LLAMA3)], size, corpus)
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=False),
         processors.TemplateProcessing("<|begin|> $A", "<|begin|> $A <|begin|> $B", [("<|begin|>", 0)])])
    root = json.loads(tokenizer.to_str())
    root["model"]["ignore_merges"] = True
    # A token that merges do not lead to: only ignore_merges finds it.
    root["model"]["vocab"]["\u0120returned"] = max(root["model"]["vocab"].values()) + 1
    return Tokenizer.from_str(json.dumps(root))


def qwen2(size, corpus):
    added = [AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)]
    return byte_kind([split(QWEN2)], size, corpus, normalizers.NFC(), added=added)


def deepseek_v2(size, corpus):
    steps = [split(step) for step in V2_STEPS] + [pre_tokenizers.Digits(individual_digits=True)]
    return byte_kind(steps, size, corpus, normalizers.Sequence([]), special=["<\uff5cUser\uff5c>"])


def deepseek_v3(size, corpus):
    steps = [split(r"\p{N}{1,3}"), split(CJK), split(V3_WORDS)]
    return byte_kind(steps, size, corpus, normalizers.Sequence([]), special=["<\uff5cUser\uff5c>"])


def options(size, corpus):
    """Every option of an added token, with a normalizer that changes some of them."""
    added = [AddedToken("[L]", lstrip=True, normalized=False), AddedToken("[R]", rstrip=True, normalized=False),
             AddedToken("[LR]", lstrip=True, rstrip=True, special=True), AddedToken("word", single_word=True, normalized=False),
             AddedToken("NORM", normalized=True), AddedToken("caf\u00e9", normalized=True), AddedToken("<a", normalized=False),
             AddedToken("<a>", normalized=False), AddedToken("\t\t", normalized=False), AddedToken("  ", normalized=True)]
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(Regex("z{2,}"), "Z")])
    return byte_kind([split(QWEN2)], size, corpus, normalizer, added=added)


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
SENTENCE_DECODER = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]


def sentence_kind(size, corpus, training_steps, normalizer=None, steps=None, byte_tokens=BYTES):
    """A SentencePiece-like vocabulary: characters, byte fallback, U+2581 for a space."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    if training_steps:
        tokenizer.pre_tokenizer = training_steps
    train(tokenizer, size, [marker(s) for s in ("<unk>", "<s>", "</s>")] + byte_tokens, corpus)
    root = json.loads(tokenizer.to_str())
    root["added_tokens"] = [token for token in root["added_tokens"] if token["content"] not in byte_tokens]
    tokenizer = Tokenizer.from_str(json.dumps(root))
    if normalizer is None:
        tokenizer.normalizer = None
    tokenizer.pre_tokenizer = steps
    tokenizer.decoder = decoders.Sequence(SENTENCE_DECODER)
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s> $B", [("<s>", 1)])
    tokenizer.add_tokens([AddedToken("[INST]", normalized=False), AddedToken("<tool>", lstrip=True, normalized=False)])
    return tokenizer


def words():
    return pre_tokenizers.Split("\u2581", "merged_with_next")


KINDS = {
    "llama3": llama3, "qwen2": qwen2, "deepseek_v2": deepseek_v2, "deepseek_v3": deepseek_v3, "options": options,
    "llama2": lambda size, corpus: sentence_kind(size, corpus, words(), normalizer=True),
    "phrases": lambda size, corpus: sentence_kind(size, corpus, None, normalizer=True),  # merges across spaces
    "metaspace_first": lambda size, corpus: sentence_kind(
        size, corpus, words(), steps=pre_tokenizers.Metaspace(prepend_scheme="first", split=False)),
    "metaspace_split": lambda size, corpus: sentence_kind(
        size, corpus, words(), steps=pre_tokenizers.Metaspace(prepend_scheme="always", split=True), byte_tokens=BYTES[:0xC4]),
}
MARKERS = ["<|begin|>", "<|end|>", "<\uff5cUser\uff5c>", "<think>", "</think>", "[L]", "[R]", "[LR]", "word", "NORM", "caf\u00e9",
           "cafe\u0301", "<a", "<a>", "\t\t", "  ", "<s>", "</s>", "<unk>", "[INST]", "<tool>", "zzz", "\uff37", "\ufb01", "\u0130",
           " returned", "<0x41>", "\u2581", "\u2581\u2581", "\u1e9b\u0323", "\uac00\u11a8", "\u1100\u1161", "\u2126", "A\u030a"]


def kind_strings(count, seed):
    """Strings of words, markers, white space and characters from all over the planes that Unicode 14 assigns."""
    import unicodedata
    rng = random.Random(seed)
    pool = WORDS + MARKERS * 3 + SNIPPETS + CORPUS.split("\n")
    gaps = ["", "", "", " ", " ", "  ", "\n", "\n\n", "\t", "\r\n", " \n ", "   \n", "\u00a0", "\u3000", "\u2003", "\u0085", "\x1c"]
    old = unicodedata.ucd_3_2_0  # assigned then, and unchanged in every table since

    def character():
        while True:
            code = rng.choice([rng.randint(0, 0x7F), rng.randint(0x80, 0x7FF), rng.randint(0x800, 0xFFFF),
                               rng.choice([0x3000, 0x4E00, 0xAC00, 0x10400, 0x1D400, 0x20000]) + rng.randint(0, 255)])
            if not 0xD800 <= code < 0xE000 and old.category(chr(code)) != "Cn" and \
                    old.category(chr(code)) == unicodedata.category(chr(code)):
                return chr(code)

    pool += NUMBERS.split()[:28] + ["1234567890123"]
    out = []
    while len(out) < count:
        parts = []
        for _ in range(rng.randint(1, 8)):
            parts.append(rng.choice(pool) if rng.random() < 0.7 else "".join(character() for _ in range(rng.randint(1, 4))))
            parts.append(rng.choice(gaps))
        out.append("".join(parts))
    return out


def ids_and_text(tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    decoded = tokenizer.decode(ids, skip_special_tokens=False)
    return [ids, None if "\ufffd" in decoded else decoded]


def main():
    tokenizers = {name: make(480 + 120 * (name in ("llama2", "phrases", "metaspace_first", "metaspace_split")), [CORPUS, NUMBERS] * 2)
                  for name, make in KINDS.items()}
    for name, tokenizer in tokenizers.items():
        (HERE / f"tokenizer_kind_{name}.json").write_text(
            json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=True, separators=(",", ":")) + "\n")
    with open(HERE / "tokenizer_kinds.jsonl", "w", encoding="utf-8") as file:
        for text in strings()[:60] + kind_strings(190, 5):
            row = {"text": text} | {name: ids_and_text(t, text) for name, t in tokenizers.items()}
            file.write(json.dumps(row, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
