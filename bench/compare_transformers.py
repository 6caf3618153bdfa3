#!/usr/bin/env python3
"""Training speed beside Hugging Face transformers, in one run: forward and backward of 8 x 256 random tokens, plumb and
transformers by turns, the fastest of each. Needs torch, transformers and gguf (a throw-away venv); no test runs it.

usage: compare_transformers.py PLUMB MODEL.gguf [--dtype bf16|f32] [--rounds N]
  e.g. compare_transformers.py build/release/plumb SmolLM2-135M-Instruct.Q4_1.gguf
"""

import argparse
import json
import pathlib
import subprocess
import time

import torch
from transformers import AutoModelForCausalLM

SEQUENCES = 8
TOKENS = 256


def plumb_tokens_per_second(arguments: argparse.Namespace) -> dict:
    command = [arguments.plumb, "bench", "train", "--model", str(arguments.model), "--dtype", arguments.dtype, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def transformers_tokens_per_second(model: torch.nn.Module) -> float:
    ids = torch.randint(0, model.config.vocab_size, (SEQUENCES, TOKENS), generator=torch.Generator().manual_seed(1))
    model.zero_grad()
    start = time.perf_counter()
    model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    return SEQUENCES * TOKENS / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plumb")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--dtype", choices=["bf16", "f32"], default="bf16")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    model = AutoModelForCausalLM.from_pretrained(
        arguments.model.parent, gguf_file=arguments.model.name,
        dtype=torch.bfloat16 if arguments.dtype == "bf16" else torch.float32).train()
    transformers_tokens_per_second(model)  # warms up
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        result = plumb_tokens_per_second(arguments)
        ours.append(result["tokens_per_second"])
        theirs.append(max(transformers_tokens_per_second(model) for _ in range(2)))
    print(json.dumps({
        "dtype": arguments.dtype, "threads": torch.get_num_threads(), "plumb_tokens_per_second": max(ours),
        "transformers_tokens_per_second": max(theirs), "ratio": max(ours) / max(theirs),
        "plumb_fraction_of_roof": result["fraction_of_roof"], "torch": torch.__version__}))


if __name__ == "__main__":
    main()
