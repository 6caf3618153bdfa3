"""Makes the goldens of the tokenizer and the chat template with Hugging Face's `tokenizers` and with Jinja2.

usage: make_tokenizer.py GGUF   (the SmolLM2-135M-Instruct GGUF file; only ids over its vocabulary are written, no part
                                 of it)

Writes beside itself
  tokenizer_small_smollm.json, tokenizer_small_gpt2.json   two vocabularies of a few hundred tokens, trained on the
                                                           text below: real tokenizer.json files
  tokenizer.jsonl        {"text", "smollm", "gpt2", "smollm2"}: ids by the two small vocabularies and by the GGUF's
  chat_template.jsonl    {"template", "messages", "add_generation_prompt", "text"}
Needs tokenizers, gguf and jinja2 in a throw-away environment. The strings come from a fixed seed.
"""

import json
import pathlib
import random
import sys

from gguf import GGUFReader
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
MARKERS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

CORPUS = """
def add(a, b):
    return a + b

def count_even(values):
    total = 0
    for value in values:
        if value % 2 == 0:
            total += 1
    return total

int largest(const std::vector<int>& values) {
  int best = values[0];
  for (int value : values) {
    if (value > best) { best = value; }
  }
  return best;
}

Write a function that returns the sum of a list of numbers. The answer's shape is given; it isn't the caller's task to
check that the list isn't empty, they've done so and we'll not do it again. I'm sure you'd agree that 1024 is 2 to the
10th power, and that 12 times 12 makes 144 and 100 and 1000 and 10000.
Où est le café ? Größe, naïve, señor, ελληνικά, русский язык, 日本語のテキスト, 한국어, עברית, العربية, 😀 😃 👍
"""

SNIPPETS = [
    "def f(x):\n    return x + 1\n", "for (int i = 0; i < 10; ++i) {\n  sum += a[i];\n}", "```cpp\nint main() {}\n```",
    "#include <vector>\n", "x = {'a': [1, 2.5, 3e-7], \"b\": None}\n", "if a!=b and c<=d: pass", "a->b::c<T>&&", "\t\treturn 0;",
    "std::unordered_map<std::string, std::vector<int>> m;", "lambda x, *args, **kwargs: x@y//z**2", "// comment\r\n/* x */\r\n",
    "SELECT * FROM t WHERE id=42;", "https://example.org/a?b=c&d=%20#e", "<div class=\"a\">&nbsp;</div>", "$\\frac{1}{2}\\pi r^2$",
]
WORDS = ["hello", "World", "I'm", "don't", "they'll", "we've", "he'd", "it's", "they're", "DON'T", "It'S", "'s", "'tis", "''re", "'",
         "naïve", "café", "Größe", "señor", "ÆØÅ", "ελληνικά", "русский", "日本語", "漢字かな", "한국어", "עברית", "العربية", "हिन्दी", "ไทย",
         "e\u0301", "ﬁ", "ǅ", "ʰ", "ª", "ß", "İ", "😀", "👍🏽", "👩\u200d👩\u200d👧", "🇩🇪", "✈\ufe0f", "①", "½", "²", "Ⅷ", "٣٤", "१२", "〇", "𝟘", "𐍈",
         "0", "7", "42", "1234567890", "3.14159", "-1e-9", "0x1F", "1,000,000", "2nd", "a1b2", "v2.0.1", "€5", "$9.99", "50%", "…", "—", "«x»",
         "(a)", "[b]", "{c}", "==", "!=", "->", "...", "???", "_x_", "__init__", "snake_case", "camelCase", "\\n", "\"q\"", "`b`", "#", "@me"]
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\t", " \n", "\n  ", "\r\n", "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\u200b", "\u180e", "\x0b", "\x1c"]
SPECIAL = MARKERS + ["<|im_start|>user\n", "<|im_end|>\n", "<|im_start|", "|im_end|>", "<<|im_end|>>", "<|endoftext|><|endoftext|>",
                     " <|im_end|> ", "1<|im_end|>2", "<file_sep>", "<repo_name>"]


def strings():
    rng = random.Random(20240607)
    out = ["", " ", "  ", "a", "1", "\n"] + WORDS + SPACES + SPECIAL + SNIPPETS
    out += [chr(c) for c in range(1, 256)]
    out += ["a" + s + "b" for s in SPACES] + ["1" + s + "2" for s in SPACES] + ["a" + s for s in SPACES] + [s + "7" for s in SPACES]
    while len(out) < 1200:
        parts = []
        for _ in range(rng.randint(2, 9)):
            kind = rng.random()
            parts.append(rng.choice(WORDS) if kind < 0.55 else rng.choice(SPACES) if kind < 0.75 else
                         rng.choice(SPECIAL) if kind < 0.8 else rng.choice(SNIPPETS) if kind < 0.85 else
                         str(rng.randint(0, 10 ** rng.randint(1, 12))) if kind < 0.92 else
                         rng.choice("ab ,.\n=-#'") * rng.randint(2, 12))
            if rng.random() < 0.6:
                parts.append(" ")
        out.append("".join(parts))
    out += ["ab" * 60, " " * 70 + "x", "=" * 100, "\n" * 50, "9" * 60, "é" * 50, "the " * 20]
    # Characters that were letters, digits or symbols in Unicode 14 already, so that versions of the tables agree.
    for _ in range(150):
        base = rng.choice([0x100, 0x370, 0x400, 0x900, 0x1E00, 0x2000, 0x2190, 0x2460, 0x3040, 0x4E00, 0xAC00, 0x1D400, 0x1F600])
        out.append("".join(chr(base + rng.randint(0, 70)) for _ in range(rng.randint(1, 6))))
    return list(dict.fromkeys(out))


def steps(name):
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return byte_level if name == "gpt2" else pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])


def small(name):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = steps(name)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=480, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  special_tokens=[AddedToken(m, special=True, normalized=False) for m in MARKERS])
    tokenizer.train_from_iterator([CORPUS] * 2, trainer)
    tokenizer.save(str(HERE / f"tokenizer_small_{name}.json"), pretty=False)
    return tokenizer


def from_gguf(path):
    reader = GGUFReader(path)
    meta = lambda key: reader.fields[key].contents()
    tokens, kinds = meta("tokenizer.ggml.tokens"), meta("tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in meta("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = steps("smollm")
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k == 3])
    return tokenizer


PLAIN = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
         "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
SPELLED_OUT = """{%- for message in messages %}
    {%- if loop.first and messages[0].role != "system" %}
        {{- "<|im_start|>system\\nYou answer in one word.<|im_end|>\\n" }}
    {%- endif %}
    {{- "<|im_start|>" + message.role + "\\n" + message.content + "<|im_end|>\\n" }}
{%- endfor %}
{# the turn to be written #}
{%- if add_generation_prompt %}
    {{- "<|im_start|>assistant\\n" }}
{%- endif %}
"""
AS_TEXT = """{% if not add_generation_prompt is defined %}
{% set add_generation_prompt = false %}
{% endif %}
{% for message in messages %}
<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}
"""
WITH_DEFAULT = PLAIN.replace("{% for message in messages %}", "{% for message in messages %}{% if loop.first and messages[0]['role'] != "
                             "'system' %}{{ '<|im_start|>system\nYou are a careful clerk<|im_end|>\n' }}{% endif %}")
CONVERSATIONS = [
    [], [{"role": "user", "content": "Hi"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Add 2 and 3.\n\nThanks "}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "{{ c }} {% d %} 'é'\n"}],
    [{"role": "user", "content": "x"}, {"role": "system", "content": "late"}],
]


def write_chat():
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)  # as transformers sets it up
    with open(HERE / "chat_template.jsonl", "w", encoding="utf-8") as file:
        for template in (PLAIN, WITH_DEFAULT, SPELLED_OUT, AS_TEXT):
            for messages in CONVERSATIONS:
                for prompt in (False, True):
                    text = environment.from_string(template).render(messages=messages, add_generation_prompt=prompt)
                    file.write(json.dumps({"template": template, "messages": messages, "add_generation_prompt": prompt,
                                           "text": text}) + "\n")


def main():
    tokenizers = {"smollm": small("smollm"), "gpt2": small("gpt2"), "smollm2": from_gguf(sys.argv[1])}
    with open(HERE / "tokenizer.jsonl", "w", encoding="utf-8") as file:
        for text in strings():
            row = {"text": text} | {name: t.encode(text, add_special_tokens=False).ids for name, t in tokenizers.items()}
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
    write_chat()


if __name__ == "__main__":
    main()
