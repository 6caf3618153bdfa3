#!/usr/bin/env python3
"""Does GRPO learn, and is the reward why? Trains every arm for every seed, evaluates on the held-out functions and
prints the table that README shows.

usage: bench/learning/run.py --model PATH [--out DIR] [--seeds 1,2,3] [--arms grpo,permuted,...] [--table-only]

About 70 minutes a seed on two idle cores; a run that is cut off goes on where it was. What was measured is kept in
bench/learning/results/seed-N.json, from which --table-only prints the table again.
"""

import argparse
import json
import pathlib

import arms
from table import print_table

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a GGUF file or a Hugging Face folder")
    parser.add_argument("--out", default=str(ROOT / "runs/learning"))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--arms", default=",".join(arms.ARMS[1:]))
    parser.add_argument("--config", default=str(ROOT / "configs/quickstart.toml"))
    parser.add_argument("--plumb", default=str(ROOT / "build/release/plumb"))
    parser.add_argument("--results", default=str(HERE / "results"))
    parser.add_argument("--table-only", action="store_true")
    return parser.parse_args()


def read(folder):
    """An evaluation folder in short: {decoding: {prompt id: successes}} of code, and the share cut off."""
    short = {}
    for path in sorted(folder.iterdir()):
        evaluation = json.loads(path.read_text())
        prompts = arms.code_prompts(evaluation)
        short[f"T{evaluation['temperature']:g}"] = {
            "successes": {prompt["id"]: [int(one) for one in prompt["successes"]] for prompt in prompts},
            "truncated": sum(p["truncated"] for p in prompts) / max(1, sum(p["n"] for p in prompts))}
    return short


class Results:
    """What was measured of one seed, kept in a file after every step."""

    def __init__(self, options, number):
        self.path = pathlib.Path(options.results) / f"seed-{number}.json"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        empty = {"seed": number, "test": {}, "best": {}, "minutes": {}}
        self.values = json.loads(self.path.read_text()) if self.path.exists() else empty

    def add(self, kind, arm, value):
        self.values[kind][arm] = value
        aside = self.path.with_suffix(".part")
        aside.write_text(json.dumps(self.values) + "\n")
        aside.rename(self.path)


def measure_arms(options, number):
    seed, results = arms.Seed(options, number), Results(options, number)
    for arm in ["sft", *options.arms.split(",")]:
        results.add("minutes", arm, round(arms.training_seconds(seed.train(arm).parent) / 60, 2))
        results.add("test", arm, read(seed.evaluate(arm)))


def measure_best(options, number):
    """SFT and GRPO, each at the temperature that is best for it on dev."""
    seed, results = arms.Seed(options, number), Results(options, number)
    for arm in ("sft", "grpo"):
        best, folder = seed.evaluate_best(arm)
        results.add("best", arm, {"temperature": best, **read(folder)[f"T{best:g}"]})


def main():
    options = parse()
    if not options.table_only:
        for measure in (measure_arms, measure_best):
            for number in options.seeds.split(","):
                measure(options, int(number))
    results = [json.loads(path.read_text()) for path in sorted(pathlib.Path(options.results).glob("seed-*.json"))]
    print_table(results)


if __name__ == "__main__":
    main()
