#!/usr/bin/env python3
"""Writes the engine's goldens with Hugging Face transformers (pip install torch transformers gguf, in a throw-away venv):

  llama.json, llama_<name>.safetensors   small random Llamas, and the logits that transformers computes for them in f64
  smollm2_greedy.json                    with --smollm2 PATH.gguf: 48 greedy tokens for 8 prompts, in f32

usage: make_llama.py [--smollm2 PATH.gguf]
"""

import argparse
import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

HERE = pathlib.Path(__file__).parent
NUM_TOKENS = 45  # more than a page of the cache (32 positions)
NEW_TOKENS = 48

# name -> D, H, K, head_dim, F, V, L, rope theta, eps, tied
MODELS = {
    "gqa_tied": (48, 4, 2, 12, 80, 97, 2, 10000.0, 1e-5, True),
    "gqa_untied": (60, 6, 2, 10, 72, 101, 3, 500000.0, 1e-6, False),
    "mha_untied": (32, 2, 2, 16, 64, 64, 1, 10000.0, 1e-5, False),
    "wide_heads_tied": (40, 5, 1, 24, 56, 90, 2, 100000.0, 1e-5, True),
}

PROMPTS = [
    "Write a Python function that returns the sum of a list.",
    "Write a Python function that reverses a string.",
    "Write a C++ function that returns the largest of three numbers.",
    "What is the capital of France?",
    "What is 17 + 25?",
    "Name three primary colours.",
    "Write a short poem about the sea.",
    "Explain what a compiler does in one sentence.",
]


def random_model(name: str) -> LlamaForCausalLM:
    d, heads, kv_heads, head_dim, f, v, layers, theta, eps, tied = MODELS[name]
    config = LlamaConfig(
        hidden_size=d, num_attention_heads=heads, num_key_value_heads=kv_heads, head_dim=head_dim, intermediate_size=f,
        vocab_size=v, num_hidden_layers=layers, rms_norm_eps=eps, tie_word_embeddings=tied, max_position_embeddings=256,
        rope_parameters={"rope_type": "default", "rope_theta": theta}, attn_implementation="eager")
    torch.manual_seed(1234 + d)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            values = torch.randn(parameter.shape) * 0.3
            # Numbers that bf16 holds exactly: the file is half as large.
            parameter.copy_((values * 0.3 + 1.0 if parameter.dim() == 1 else values).bfloat16().float())
    expected = 1.0 / theta ** (torch.arange(0, head_dim, 2).float() / head_dim)
    assert torch.allclose(model.model.rotary_emb.inv_freq, expected, rtol=1e-6), "another rope_theta is in use"
    return model.double().eval()


def write_random_models() -> None:
    entries = []
    for name, (d, heads, kv_heads, head_dim, f, v, layers, theta, eps, tied) in MODELS.items():
        model = random_model(name)
        ids = torch.randint(0, v, (1, NUM_TOKENS), generator=torch.Generator().manual_seed(d))
        with torch.no_grad():
            logits = model(ids).logits[0]
        tensors = {key: value.bfloat16().contiguous() for key, value in model.state_dict().items()}
        if tied:
            tensors.pop("lm_head.weight", None)
        tensors["expected_logits"] = logits.float()
        save_file(tensors, HERE / f"llama_{name}.safetensors")
        entries.append({
            "name": name, "hidden_size": d, "num_heads": heads, "num_kv_heads": kv_heads, "head_dim": head_dim,
            "intermediate_size": f, "vocab_size": v, "num_layers": layers, "rope_theta": theta, "rms_norm_eps": eps,
            "tie_embeddings": tied, "token_ids": ids[0].tolist()})
    (HERE / "llama.json").write_text("[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n")


def write_greedy(path: pathlib.Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    entries = []
    for prompt in PROMPTS:
        text = ("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
                f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n")
        prompt_ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        ids = list(prompt_ids)
        smallest_margin = float("inf")
        for _ in range(NEW_TOKENS):  # greedy, past any end of sequence
            with torch.no_grad():
                logits = model(torch.tensor([ids])).logits[0, -1]
            best = logits.topk(2)
            smallest_margin = min(smallest_margin, float(best.values[0] - best.values[1]))
            ids.append(int(best.indices[0]))
        entries.append({"prompt": prompt, "prompt_ids": prompt_ids, "greedy_ids": ids[len(prompt_ids):],
                        "smallest_margin": round(smallest_margin, 4)})
    (HERE / "smollm2_greedy.json").write_text("[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smollm2", type=pathlib.Path)
    arguments = parser.parse_args()
    write_random_models()
    if arguments.smollm2:
        write_greedy(arguments.smollm2)


if __name__ == "__main__":
    main()
