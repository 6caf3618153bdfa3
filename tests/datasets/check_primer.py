#!/usr/bin/env python3
"""Proves what datasets/primer promises (its README.md lists it). Usage: check_primer.py --compiler g++

Prints one line per measured quantity and every broken promise; exits 1 if there is any.
"""

import argparse
import collections
import json
import pathlib
import re
import sys
import tempfile
from fractions import Fraction

sys.dont_write_bytecode = True
PRIMER = pathlib.Path(__file__).parents[2] / "datasets" / "primer"
sys.path.insert(0, str(PRIMER))

import generate  # noqa: E402
import primer_leaks  # noqa: E402
import primer_tests  # noqa: E402
from primer_cpp import check_cpp  # noqa: E402
from primer_tasks import all_tasks  # noqa: E402

FUNCTIONS = {"sft": 40, "rl": 170, "dev": 20, "test": 60}
TRIVIAL = {"sft": 20, "rl": 112, "dev": 10, "test": 30}
MATHS = {"sft": 40, "rl": 120, "dev": 40, "test": 100}
MAX_BYTES = 2_500_000


def read(name):
    return [json.loads(line) for line in (PRIMER / name).read_text(encoding="ascii").splitlines()]


def check_counts(rows, maths):
    problems = []
    for what, items, wanted in (("functions", rows, FUNCTIONS), ("maths items", maths, MATHS)):
        found = collections.Counter(row["split"] for row in items)
        if found != wanted:
            problems.append(f"{what} by split: {dict(found)}, promised {wanted}")
    for split in FUNCTIONS:
        levels = collections.Counter(row["level"] for row in rows if row["split"] == split)
        if levels[1] != TRIVIAL[split]:
            problems.append(f"{split}: {levels[1]} trivial functions, promised {TRIVIAL[split]}")
    for key, items in (("id", rows + maths), ("description", rows), ("question", maths)):
        if len({item[key] for item in items}) != len(items):
            problems.append(f"a {key} occurs twice")
    return problems


def check_maths(row):
    """The working's equations hold and end in the answer."""
    box = f"\\boxed{{{row['answer']}}}."
    if not row["worked"].endswith(box):
        return [f"{row['id']}: the working does not end in {box}"]
    sides = [s.strip() for s in row["worked"].split(",")[0].split("=")]
    values = set()
    for side in sides:
        if re.fullmatch(r"[\d\s()+*/-]+", side):
            exact = re.sub(r"\d+", lambda m: f"Fraction({m.group()})", side)
            values.add(eval(exact, {"Fraction": Fraction}))  # noqa: S307 (digits and operators only)
    if len(values) > 1 or (row["template"] not in ("remainder", "next_number") and Fraction(row["answer"]) not in values):
        return [f"{row['id']}: the working does not add up: {row['worked']}"]
    return []


def check_rerun():
    """The generator writes the committed bytes."""
    names = ("functions.jsonl", "audit.jsonl", "math.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        generate.write_all(pathlib.Path(folder))
        changed = [n for n in names if (pathlib.Path(folder) / n).read_bytes() != (PRIMER / n).read_bytes()]
    return [f"{name} is not what generate.py writes; run it and commit the result" for name in changed] + [
        f"{name} has more than {MAX_BYTES} bytes" for name in names if (PRIMER / name).stat().st_size > MAX_BYTES]


def check_overlap(rows):
    """overlap.json names known tasks, and both of its directions say the same."""
    table = json.loads((PRIMER / "overlap.json").read_text(encoding="ascii"))
    ids = {row["id"] for row in rows}
    forward = {(theirs, ours) for theirs, names in table["humaneval_to_primer"].items() for ours in names}
    backward = {(theirs, ours) for ours, names in table["primer_to_humaneval"].items() for theirs in names}
    problems = [f"overlap.json: no task {ours}" for _, ours in forward | backward if ours not in ids]
    if forward != backward:
        problems.append("overlap.json: the two directions differ")
    return problems + [f"overlap.json: {theirs} is no HumanEval task" for theirs, _ in forward
                       if not re.fullmatch(r"HumanEval/(\d|[1-9]\d|1[0-5]\d|16[0-3])", theirs)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", default="g++")
    compiler = parser.parse_args().compiler
    rows, maths = read("functions.jsonl"), read("math.jsonl")
    audits = {row["id"]: row["audit"] for row in read("audit.jsonl")}
    tasks = {"primer/" + task["name"]: task for task in all_tasks()}
    problems = check_counts(rows, maths)
    problems += primer_leaks.check_families(rows, "family") + primer_leaks.check_families(maths, "template")
    differ = dead = 0
    for row in rows:
        audit = audits[row["id"]]
        problems += primer_tests.check_cases(row, audit)
        problems += primer_tests.check_python(row, audit)
        problems += primer_tests.check_argument_bodies(row)
        found, total, killed = primer_tests.check_mutants(row, audit, tasks[row["id"]])
        problems += found
        differ += total
        dead += killed
    print(f"mutants that differ from their reference: {differ}, killed by the graded inputs: {dead}")
    short = {row["function"]["name"]: len(audits[row["id"]]) for row in rows
             if primer_tests.short_of_audit(row, audits[row["id"]])}
    print(f"audit suites of fewer than {generate.AUDIT} inputs (small domains): {short}")
    for row in maths:
        problems += check_maths(row)
    problems += primer_leaks.check_cross_solutions(rows)
    problems += primer_leaks.check_skeletons(rows)
    problems += primer_leaks.check_shared_grams(rows)
    problems += check_overlap(rows)
    problems += check_cpp(rows, audits, compiler)
    problems += check_rerun()
    for problem in problems:
        print("BROKEN:", problem)
    print(f"{len(rows)} functions, {len(maths)} maths items, {len(problems)} broken promises")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
