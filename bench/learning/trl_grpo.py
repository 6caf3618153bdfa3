#!/usr/bin/env python3
"""TRL's GRPOTrainer on what a run of `plumb grpo` was trained on: the same model, the same prompts in the same order,
the same groups, budget of tokens and settings of the optimizer, and plumb's judge as the reward.

usage: bench/learning/trl_grpo.py --run RUN --model FOLDER --out DIR [--steps N] [--seed N] [--bf16]

RUN is a run folder of `plumb grpo` with grpo.saved_groups large enough that samples.jsonl has every group; FOLDER the
Hugging Face folder that it started from. DIR gets steps.jsonl (reward and seconds of each step) and policy/, a folder
that `plumb eval` reads. Needs torch and TRL (tried: TRL 1.16.0, torch 2.15.0, transformers 5.24.0).
"""

import argparse
import json
import os
import pathlib
import sys
import time
import tomllib

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import datasets  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
import trl  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients" / "python"))

from plumb_reward import CodeReward, RewardClient  # noqa: E402


def own_clip(value):
    """plumb's -1 stands for the ratio's own clip, which is 0.2 of tokens."""
    return 0.2 if value < 0 else value


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--steps", type=int, default=0, help="0 = as many as the run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, help="the run's, unless given")
    parser.add_argument("--micro-batch", type=int, default=8, help="sequences per forward and backward")
    parser.add_argument("--bf16", action="store_true", help="products in bf16 (autocast)")
    return parser.parse_args()


def tasks_of(config):
    """Rows of the task files by id."""
    rows = {}
    for name in config["data"]["tasks"]:
        for line in (ROOT / name).read_text().splitlines():
            row = json.loads(line)
            rows[row["id"]] = row
    return rows


def prompts_of(run, config):
    """What each step drew, in order: the user's turn, and the judge's item without a completion, as text (the columns
    of a data set have one type each, and arguments have many)."""
    tasks, seen, rows = tasks_of(config), set(), []
    for line in (run / "samples.jsonl").read_text().splitlines():
        sample = json.loads(line)
        key = (sample["step"], sample["prompt_id"], sample["draw"])
        if sample["kind"] != "train" or key in seen:
            continue
        seen.add(key)
        task = tasks.get(sample["prompt_id"]) or tasks[sample["prompt_id"].rpartition("/")[0]]
        item = {"row": {**task, "languages": [sample["language"]]}, "language": sample["language"]}
        if "function" not in task:
            item = {"row": task}
        turn = [{"role": "user", "content": sample["prompt"]}]
        rows.append((sample["step"], {"prompt": turn, "item": json.dumps(item)}))
    rows.sort(key=lambda row: row[0])
    return [row for _, row in rows]


class Judged(CodeReward):
    def item(self, completion, row):
        return {**json.loads(row["item"]), "completion": completion}


class Clock(transformers.TrainerCallback):
    """A line for each step."""

    def __init__(self, path):
        self.file, self.start = open(path, "w", buffering=1), time.monotonic()

    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "reward" in logs:
            now = time.monotonic()
            line = {"step": state.global_step, "seconds": round(now - self.start, 2), "reward": logs["reward"],
                    "length": logs.get("completions/mean_length")}
            self.file.write(json.dumps(line) + "\n")
            self.start = now


def config_for(options, config, prompts):
    grpo, sampling = config["grpo"], config["sampling"]
    group, per_step = grpo["group_size"], grpo["prompts_per_step"]
    return trl.GRPOConfig(
        output_dir=str(pathlib.Path(options.out) / "trainer"), seed=options.seed,
        max_steps=options.steps or len(prompts) // per_step, shuffle_dataset=False,
        num_generations=group, per_device_train_batch_size=options.micro_batch,
        gradient_accumulation_steps=group * per_step // options.micro_batch,
        max_completion_length=sampling["max_new_tokens"], temperature=sampling["temperature"], top_p=1.0, top_k=0,
        loss_type="dapo", scale_rewards="none", beta=0.0, epsilon=own_clip(grpo["clip_low"]), epsilon_high=own_clip(grpo["clip_high"]),
        learning_rate=options.learning_rate or grpo["learning_rate"], lr_scheduler_type=grpo["decay"],
        warmup_steps=grpo["warmup_steps"], weight_decay=grpo["weight_decay"], adam_beta1=grpo["beta1"],
        adam_beta2=grpo["beta2"], max_grad_norm=grpo["max_grad_norm"],
        use_cpu=True, bf16=options.bf16, gradient_checkpointing=False, report_to=[], logging_steps=1,
        save_strategy="no", disable_tqdm=True)


def main():
    options = parse()
    run, out = pathlib.Path(options.run), pathlib.Path(options.out)
    config = tomllib.loads((run / "config.toml").read_text())
    prompts = prompts_of(run, config)
    per_step = config["grpo"]["prompts_per_step"]
    steps = config["grpo"]["steps"]
    if len(prompts) != steps * per_step:
        sys.exit(f"{run}/samples.jsonl: expected {steps * per_step} groups, found {len(prompts)}; train with a larger "
                 "grpo.saved_groups")
    out.mkdir(parents=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    if getattr(model.config, "router_aux_loss_coef", 0):
        model.config.router_aux_loss_coef = 0.0  # a mixture's balance term, which plumb takes only where it is asked for
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    with RewardClient(token="") as client:
        trainer = trl.GRPOTrainer(model=model, reward_funcs=[Judged(client)], args=config_for(options, config, prompts),
                                  train_dataset=datasets.Dataset.from_list(prompts), processing_class=tokenizer,
                                  callbacks=[Clock(out / "steps.jsonl")])
        trainer.train()
    model.save_pretrained(out / "policy")
    tokenizer.save_pretrained(out / "policy")


if __name__ == "__main__":
    main()
