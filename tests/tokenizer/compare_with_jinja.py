"""Renders chat templates with plumb's interpreter and with Jinja2, set up as transformers sets it up; prints one line each.

usage: compare_with_jinja.py TOKENIZER_TOOL FILE...

TOKENIZER_TOOL is the target tokenizer_tool of the build. A FILE is a template, or a tokenizer_config.json with one. Each
renders the conversations of tests/golden/make_chat_families.py. Exit status 1 where a text differs, or only one of the two
refuses. Needs jinja2.
"""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))

from make_chat_families import EXTRAS, TALKS, rendered  # noqa: E402


def template_of(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    return json.loads(text)["chat_template"] if path.endswith(".json") else text


def main():
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    equal = True
    for path in sys.argv[2:]:
        template = template_of(path)
        rows = [{"template": template, "variables": {"messages": talk, "tools": None, "documents": None, "bos_token": "<s>",
                                                     "eos_token": "</s>"} | extra} for talk in TALKS for extra in EXTRAS]
        answer = subprocess.run([sys.argv[1], "template"], input="".join(json.dumps(row) + "\n" for row in rows),
                                capture_output=True, text=True, check=True)
        ours = [json.loads(line) for line in answer.stdout.split("\n") if line]
        theirs = [rendered(row["template"], row["variables"]) for row in rows]
        bad = [i for i in range(len(rows)) if ours[i].get("text") != theirs[i]]
        refused = sum(text is None for text in theirs)
        print(f"{pathlib.Path(path).name}: {len(rows)} renderings, {refused} refused, {len(bad)} differ", flush=True)
        if bad:
            print(f"  expected {theirs[bad[0]]!r}\n  got      {ours[bad[0]]!r}")
            equal = False
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
