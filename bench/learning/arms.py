"""The arms of the learning benchmark: what is trained from what, and how each is evaluated.

Every arm starts from the SFT weights of its seed and has the wall time that GRPO took.

  grpo            the method: rewards are the judge's verdicts
  permuted        the same, with the rewards permuted within each group: what does updating alone do?
  sft_continued   more epochs over the demonstrations
  rejection_sft   SFT on the completions of the grpo arm's own rollouts that earned a reward
"""

import json
import pathlib
import subprocess
import time

ARMS = ("sft", "grpo", "permuted", "sft_continued", "rejection_sft")
FUNCTIONS = {"data.tasks": "datasets/primer/functions.jsonl"}  # what the arms are compared on
TEMPERATURES = (0.3, 0.6, 1.0)  # and 0, which is greedy


class Seed:
    """One seed's folder of runs. Each step is skipped where its result is there already."""

    def __init__(self, options, seed):
        self.options, self.seed = options, seed
        self.folder = pathlib.Path(options.out) / f"seed-{seed}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def plumb(self, command, out, model, settings, *more):
        """Runs one subcommand into `out` (begun afresh where an earlier try was cut off); returns the folder."""
        out = self.folder / out
        done = out / "done"
        if done.exists():
            return out
        if out.exists():
            subprocess.run(["rm", "-r", "--", str(out)], check=True)
        words = [self.options.plumb, command, "--config", self.options.config, "--model", str(model), "--out", str(out),
                 "--set", f"run.seed={self.seed}", *more]
        for key, value in settings.items():
            words += ["--set", f"{key}={value}"]
        print(f"[{time.strftime('%H:%M:%S')}] seed {self.seed}: {out.name}", flush=True)
        start = time.monotonic()
        subprocess.run(words, check=True)
        done.write_text(f"{time.monotonic() - start:.1f}\n")
        return out

    def train(self, arm):
        """The weights of an arm."""
        if arm == "sft":
            return self.plumb("sft", "sft", self.options.model, {}) / "policy"
        start = self.train("sft")
        if arm in ("grpo", "permuted"):
            settings = {"grpo.saved_groups": 1024, "grpo.reward_arm": "verdict" if arm == "grpo" else "permuted"}
            return self.plumb("grpo", arm, start, settings) / "policy"
        rollouts = self.train("grpo").parent
        if arm == "sft_continued":
            epochs = self.epochs_for(training_seconds(rollouts), self.folder / "sft")
            return self.plumb("sft", arm, start, {"sft.max_epochs": epochs, "sft.patience": epochs}) / "policy"
        data = self.folder / "rejection_sft.jsonl"
        count = write_rewarded(rollouts / "samples.jsonl", data)
        epochs = max(1, round(self.epochs_for(training_seconds(rollouts), self.folder / "sft") *
                              num_demonstrations(self.folder / "sft") / count))
        return self.plumb("sft", arm, start, {"sft.max_epochs": epochs}, "--data", str(data)) / "policy"

    @staticmethod
    def epochs_for(seconds, run):
        """How many epochs of `run`'s demonstrations take `seconds`."""
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        epochs = max(row["epoch"] for row in rows if "epoch" in row)
        return max(1, int(seconds / (training_seconds(run) / epochs)))

    def evaluate(self, arm):
        """Evaluations of an arm on the held-out functions: greedy and 8 samples at T = 1."""
        model = self.train(arm)
        return self.plumb("eval", f"eval-{arm}", model, {**FUNCTIONS, "eval.splits": "test", "eval.samples": 8}) / "evals"

    def evaluate_best(self, arm):
        """The same at the temperature that is best on dev; (temperature, evaluations)."""
        model = self.train(arm)
        temperatures = json.dumps(list(TEMPERATURES))
        dev = self.plumb("eval", f"dev-{arm}", model,
                         {**FUNCTIONS, "eval.splits": "dev", "eval.samples": 8, "eval.temperatures": temperatures}) / "evals"
        best = max((json.loads(path.read_text()) for path in sorted(dev.iterdir())), key=mean_success)["temperature"]
        settings = {**FUNCTIONS, "eval.splits": "test", "eval.samples": 4}
        settings["eval.temperatures"] = "[]" if best == 0 else f"[{best}]"
        settings["eval.greedy"] = "true" if best == 0 else "false"
        return best, self.plumb("eval", f"best-{arm}", model, settings) / "evals"


def code_prompts(evaluation):
    return [prompt for prompt in evaluation["prompts"] if prompt["language"] != "none"]


def mean_success(evaluation):
    shares = [sum(prompt["successes"]) / len(prompt["successes"]) for prompt in code_prompts(evaluation)]
    return sum(shares) / len(shares)


def training_seconds(run):
    rows = [json.loads(line) for line in (run / "timings.jsonl").read_text().splitlines()]
    return sum(row.get("timing_s/step", 0) for row in rows)


def num_demonstrations(run):
    """Demonstrations of an SFT run: its steps of an epoch times the batch, near enough for a number of epochs."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return 16 * sum(1 for row in rows if row.get("epoch") == 1 and "loss" in row)


def write_rewarded(samples, out):
    """The rewarded training completions as demonstrations, each text of a prompt once; returns how many."""
    seen, lines = set(), []
    for line in samples.read_text().splitlines():
        sample = json.loads(line)
        key = (sample["prompt_id"], sample["text"] if isinstance(sample["text"], str) else json.dumps(sample["text"]))
        if sample["kind"] == "train" and sample["reward"] >= 1 and isinstance(sample["text"], str) and key not in seen:
            seen.add(key)
            lines.append(json.dumps({"messages": [{"role": "user", "content": sample["prompt"]},
                                                  {"role": "assistant", "content": sample["text"]}],
                                     "id": f"{sample['prompt_id']}#{len(lines)}", "split": "sft"}))
    out.write_text("\n".join(lines) + "\n")
    return len(lines)
