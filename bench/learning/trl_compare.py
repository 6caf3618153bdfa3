#!/usr/bin/env python3
"""plumb beside TRL's GRPOTrainer over whole runs, small enough for both: the mixture of experts of 3M parameters of
configs/arithmetic.toml, after its SFT. The same start, prompts in the same order, groups, budget of tokens and judge; each
one's learning rate is the best of the same trials on dev; five seeds; measured by `plumb eval` on pairs of numbers that no
training has seen.

usage: bench/learning/trl_compare.py --start SFT_POLICY --python TRL_PYTHON --out DIR [--seeds 1,2,3,4,5] [--steps 300]

SFT_POLICY is a folder that `plumb sft --config configs/arithmetic.toml` made; TRL_PYTHON an interpreter that has TRL. The
result is printed and kept in bench/learning/results/trl-arithmetic.json; logs of both are in DIR.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess

from intervals import bca

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RATES = ("3e-5", "6e-5", "1.2e-4")
# What TRL has as well: no division by the group's deviation, one update a step.
SETTINGS = {"grpo.prompts_per_step": 32, "grpo.group_size": 8, "grpo.mini_batches": 1, "grpo.advantage": "no_std",
            "grpo.saved_groups": 64, "grpo.warmup_steps": 5}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--start", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--plumb", default=str(ROOT / "build/release/plumb"))
    return parser.parse_args()


class Comparison:
    def __init__(self, options):
        self.options, self.out = options, pathlib.Path(options.out).resolve()
        self.plumb = pathlib.Path(options.plumb).resolve()
        self.start = pathlib.Path(options.start).resolve()

    def call(self, words, **more):
        with open(self.out / "log.txt", "a") as log:
            subprocess.run([str(word) for word in words], check=True, cwd=ROOT, stdout=log, stderr=log, **more)

    def run(self, command, model, out, settings):
        words = [self.plumb, command, "--config", ROOT / "configs/arithmetic.toml", "--model", model, "--out", out]
        for key, value in settings.items():
            words += ["--set", f"{key}={value}"]
        self.call(words)

    def train_plumb(self, seed, rate):
        out = self.out / f"plumb-{seed}-{rate}"
        if not out.exists():
            self.run("grpo", self.start, out, {**SETTINGS, "run.seed": seed, "grpo.learning_rate": rate,
                                               "grpo.steps": self.options.steps})
        return out

    def train_trl(self, seed, rate):
        out = self.out / f"trl-{seed}-{rate}"
        if not out.exists():  # the prompts are those of plumb's run of this seed, whatever its rate
            prompts = next(self.out.glob(f"plumb-{seed}-*"))
            self.call([self.options.python, HERE / "trl_grpo.py", "--run", prompts, "--model", self.start, "--out", out,
                       "--seed", seed, "--learning-rate", rate, "--micro-batch", 256],
                      env={**os.environ, "PLUMB_BINARY": str(self.plumb)})
        return out

    def successes(self, run, split):
        """By problem: the share of its samples at temperature 1 that are right, and whether the greedy one is."""
        out = run / f"eval-{split}"
        if not out.exists():
            self.run("eval", run / "policy", out, {"eval.splits": f'["{split}"]', "eval.max_math": 0})
        values = {}
        for path in (out / "evals").iterdir():
            evaluation = json.loads(path.read_text())
            for prompt in evaluation["prompts"]:
                shares = values.setdefault(prompt["id"], {})
                shares[evaluation["temperature"]] = statistics.mean(prompt["successes"])
        return values

    def accuracy(self, run, split, temperature):
        return 100 * statistics.mean(one[temperature] for one in self.successes(run, split).values())

    def best_rate(self, train):
        trials = {rate: self.accuracy(train(1, rate), "dev", 1.0) for rate in RATES}
        return max(trials, key=trials.get), trials


def seconds_of_plumb(run):
    rows = [json.loads(line) for line in (run / "timings.jsonl").read_text().splitlines()]
    return sum(row["timing_s/step"] for row in rows if row["stage"] == "grpo")


def seconds_of_trl(run):
    return sum(json.loads(line)["seconds"] for line in (run / "steps.jsonl").read_text().splitlines())


def of_problems(differences):
    """The mean over seeds of each problem."""
    return [statistics.mean(seed[name] for seed in differences) for name in sorted(differences[0])]


def main():
    options = parse()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    comparison = Comparison(options)
    comparison.out.mkdir(parents=True, exist_ok=True)
    ours, our_trials = comparison.best_rate(comparison.train_plumb)
    theirs, their_trials = comparison.best_rate(comparison.train_trl)
    result = {"steps": options.steps, "seeds": seeds, "dev": {"plumb": our_trials, "trl": their_trials},
              "plumb": {"rate": ours, "test": {}, "seconds": []}, "trl": {"rate": theirs, "test": {}, "seconds": []}}
    pairs = [(comparison.train_plumb(seed, ours), comparison.train_trl(seed, theirs)) for seed in seeds]
    result["plumb"]["seconds"] = [round(seconds_of_plumb(one), 1) for one, _ in pairs]
    result["trl"]["seconds"] = [round(seconds_of_trl(other), 1) for _, other in pairs]
    for temperature in (0.0, 1.0):
        differences = []
        for name, place in (("plumb", 0), ("trl", 1)):
            result[name]["test"][f"T{temperature:g}"] = [round(comparison.accuracy(pair[place], "test", temperature), 1)
                                                         for pair in pairs]
        for one, other in pairs:
            a, b = comparison.successes(one, "test"), comparison.successes(other, "test")
            differences.append({name: 100 * (a[name][temperature] - b[name][temperature]) for name in a})
        mean, low, high = bca(of_problems(differences))
        result[f"difference_T{temperature:g}"] = {"mean": round(mean, 2), "low": round(low, 2), "high": round(high, 2)}
    ratio = statistics.mean(result["plumb"]["seconds"]) / statistics.mean(result["trl"]["seconds"])
    result["time_of_trl"] = round(ratio, 3)
    text = json.dumps(result, indent=1)
    (HERE / "results" / "trl-arithmetic.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
