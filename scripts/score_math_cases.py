#!/usr/bin/env python3
"""Judges a file of labelled maths cases with `plumb verify-math` and prints the share that is right by tag and category,
every false accept, every wrong row, and, where rows carry max_ms and max_mb, the rows that overran them.

usage: score_math_cases.py PLUMB CASES.jsonl [--alone]

A row has "gold", "pred" | "pred_parts" | "pred_b64", "expected" (1, 0, "0_or_undecided", "1_or_undecided", "any"),
"tags", "category". --alone runs every row that has limits in a process of its own and measures time and memory; the
time counts from the start of the program, so it includes starting plumb and its worker. Exit status 1 if a row is wrong.
"""

import argparse
import collections
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time


def judge(plumb, rows):
    with tempfile.TemporaryDirectory() as folder:
        source, result = pathlib.Path(folder, "in.jsonl"), pathlib.Path(folder, "out.jsonl")
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        subprocess.run([plumb, "verify-math", "--in", source, "--out", result], check=True, stderr=subprocess.DEVNULL)
        return {row["id"]: row for row in map(json.loads, result.read_text().splitlines())}


def is_right(expected, out):
    equal, undecided = out["equal"], out["verdict"] == "undecided"
    if expected == 1:
        return equal
    if expected == 0:
        return not equal and not undecided
    if expected == "0_or_undecided":
        return not equal
    if expected == "1_or_undecided":
        return equal or undecided
    return True


def overruns(plumb, rows):
    for row in rows:
        started = time.monotonic()
        judge(plumb, [row])
        elapsed = 1000 * (time.monotonic() - started)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        if elapsed > row["max_ms"] or peak > row["max_mb"]:
            yield row, elapsed, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plumb")
    parser.add_argument("cases")
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    rows = [json.loads(line) for line in pathlib.Path(options.cases).read_text().splitlines() if line.strip()]
    results = judge(options.plumb, rows)
    shares = collections.defaultdict(lambda: [0, 0])
    wrong = []
    for row in rows:
        out = results[row["id"]]
        right = is_right(row["expected"], out)
        hostile = row["category"].startswith("hostile")
        group = "hostile" if hostile else "untagged" if not row.get("tags") else "tagged"
        for key in [f"rows: {group}", f"category: {row['category']}"] + [f"tag: {tag}" for tag in row.get("tags", [])]:
            shares[key][0] += right
            shares[key][1] += 1
        if not right:
            wrong.append((row, out))
    for key in sorted(shares):
        right, total = shares[key]
        print(f"{key:40} {right:4} of {total:4}  {100 * right / total:6.1f} %")
    verdicts = collections.Counter(out["verdict"] for out in results.values())
    print("verdicts:", ", ".join(f"{name} {count}" for name, count in sorted(verdicts.items())))
    print("faults:", sum("fault" in out for out in results.values()))
    accepts = [row["id"] for row, out in wrong if out["equal"]]
    print("false accepts:", ", ".join(accepts) if accepts else "none")
    for row, out in wrong:
        print(f"wrong: {row['id']} gold {row['gold'][:60]!r} got {out['verdict']} ({out['reason']}), expected {row['expected']}")
    limits = 0
    if options.alone:
        for row, elapsed, peak in overruns(options.plumb, [row for row in rows if "max_ms" in row]):
            limits += 1
            print(f"overrun: {row['id']} {elapsed:.0f} ms of {row['max_ms']}, {peak:.0f} MiB of {row['max_mb']}")
        print("overruns:", limits)
    return 1 if wrong or limits else 0


if __name__ == "__main__":
    sys.exit(main())
