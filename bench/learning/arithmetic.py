#!/usr/bin/env python3
"""Does a mixture of experts of 3M parameters learn arithmetic from nothing? Weights drawn at random, SFT, GRPO, and GRPO
with permuted rewards as the control; each measured on pairs of numbers that no training has seen.

usage: bench/learning/arithmetic.py [--out DIR] [--seeds 1,2,3] [--table-only]

Five minutes a seed on two idle cores (SFT 0.8, GRPO 3.6), and half as much again for the control. What was measured is
kept in bench/learning/results/arithmetic-seed-N.json, from which --table-only prints the table again.
"""

import argparse
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results"
ARMS = ("start", "sft", "grpo", "permuted")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=str(ROOT / "runs/arithmetic"))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--plumb", default=str(ROOT / "build/release/plumb"))
    parser.add_argument("--table-only", action="store_true")
    return parser.parse_args()


class Seed:
    def __init__(self, options, seed):
        self.plumb, self.seed = pathlib.Path(options.plumb).resolve(), seed
        self.folder = pathlib.Path(options.out).resolve() / f"seed-{seed}"
        self.folder.mkdir(parents=True)
        self.values = {"seed": seed, "accuracy": {}}

    def run(self, command, model, out, **settings):
        words = [self.plumb, command, "--config", ROOT / "configs/arithmetic.toml", "--model", model, "--out",
                 self.folder / out, "--set", f"run.seed={self.seed}"]
        for key, value in settings.items():
            words += ["--set", f"{key.replace('__', '.')}={value}"]
        subprocess.run(words, check=True, cwd=ROOT)

    def measure(self, arm, model):
        self.run("eval", model, f"eval-{arm}")
        accuracy = {}
        for path in sorted((self.folder / f"eval-{arm}" / "evals").iterdir()):
            evaluation = json.loads(path.read_text())
            successes = [value for prompt in evaluation["prompts"] for value in prompt["successes"]]
            accuracy[f"T{evaluation['temperature']:g}"] = 100 * sum(successes) / len(successes)
        self.values["accuracy"][arm] = accuracy

    def measure_all(self):
        start = self.folder / "start"
        subprocess.run([self.plumb, "init", ROOT / "datasets/arithmetic/model", start, "--seed", str(self.seed)], check=True)
        self.measure("start", start)
        self.run("sft", start, "sft")
        self.measure("sft", self.folder / "sft/policy")
        for arm, reward in (("grpo", "verdict"), ("permuted", "permuted")):
            self.run("grpo", self.folder / "sft/policy", arm, grpo__reward_arm=reward)
            self.measure(arm, self.folder / arm / "policy")
        (RESULTS / f"arithmetic-seed-{self.seed}.json").write_text(json.dumps(self.values) + "\n")


def print_table(seeds):
    rows = [json.loads((RESULTS / f"arithmetic-seed-{seed}.json").read_text()) for seed in seeds]
    print("| trained | greedy | sampled at T = 1 |")
    print("|---|---|---|")
    for arm in ARMS:
        columns = [" / ".join(f"{row['accuracy'][arm][kind]:.1f}" for row in rows) for kind in ("T0", "T1")]
        print(f"| {arm} | {columns[0]} | {columns[1]} |")


def main():
    options = parse()
    seeds = options.seeds.split(",")
    if not options.table_only:
        for seed in seeds:
            Seed(options, seed).measure_all()
    print_table(seeds)


if __name__ == "__main__":
    main()
