#!/usr/bin/env python3
"""Writes tests/golden/families/: what Hugging Face transformers computes for one small model of each family (pip install
torch transformers==4.57.1 numpy, in a throw-away venv).

Weights are not stored: tests/support/formula_weights.h makes the same numbers from a tensor's name. Of each model:

  <name>.json         its config.json as transformers writes it, token ids, losses before each of 3 AdamW steps and after
  <name>.safetensors  logits, hidden state behind each layer, router logits, chosen experts and their weights, and of each
                      matrix's gradient G [out, in] the sketches G u and v G, u_i = cos(i + 1), v_o = sin(o + 1): any wrong
                      row or column shows, at a fraction of the bytes; of each vector's gradient the whole

usage: make_families.py [NAME...]
"""

import json
import pathlib
import sys

import numpy as np
import torch
import transformers as hf
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent / "families"
NUM_TOKENS = 41  # more than a page of the cache (32 positions)
LEARNING_RATE = 1e-2
EPSILON = 1e-4  # so large that a gradient near 0 does not turn its rounding into a whole step

BASE = dict(hidden_size=24, num_attention_heads=6, num_key_value_heads=3, intermediate_size=28, vocab_size=47,
            num_hidden_layers=2, rms_norm_eps=1e-5, max_position_embeddings=256, rope_theta=10000.0,
            tie_word_embeddings=False)
MLA = dict(num_key_value_heads=6, kv_lora_rank=14, qk_nope_head_dim=10, qk_rope_head_dim=6, v_head_dim=12, head_dim=6,
           n_routed_experts=6, num_experts_per_tok=2, moe_intermediate_size=10, n_shared_experts=2,
           first_k_dense_replace=1, num_hidden_layers=3, norm_topk_prob=False)


def yarn(**extra):
    return {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 32, "beta_fast": 32.0, "beta_slow": 1.0,
            **extra}


def models():
    """Name -> (class, config)."""
    def llama(**extra):
        return hf.LlamaForCausalLM, hf.LlamaConfig(**{**BASE, **extra})
    yield "llama3", llama(head_dim=24, rope_scaling={
        "rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 64, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0})
    yield "llama_linear_biases", llama(head_dim=8, attention_bias=True, mlp_bias=True, hidden_act="gelu",
                                       rope_scaling={"rope_type": "linear", "factor": 4.0})
    yield "llama_dynamic_tied", llama(head_dim=4, tie_word_embeddings=True, hidden_act="relu",
                                      rope_scaling={"rope_type": "dynamic", "factor": 4.0})
    yield "llama_yarn", llama(head_dim=8, hidden_act="gelu_pytorch_tanh", rope_scaling=yarn())
    yield "mistral_window", (hf.MistralForCausalLM, hf.MistralConfig(**BASE, head_dim=8, sliding_window=9))
    yield "qwen2_window", (hf.Qwen2ForCausalLM, hf.Qwen2Config(
        **{**BASE, "tie_word_embeddings": True}, use_sliding_window=True, sliding_window=35, max_window_layers=1))
    yield "qwen3", (hf.Qwen3ForCausalLM, hf.Qwen3Config(**BASE, head_dim=24))
    yield "mixtral", (hf.MixtralForCausalLM, hf.MixtralConfig(
        **BASE, head_dim=8, num_local_experts=5, num_experts_per_tok=2, sliding_window=None))
    yield "mha_top2", (hf.MixtralForCausalLM, hf.MixtralConfig(
        **{**BASE, "num_key_value_heads": 6}, head_dim=4, num_local_experts=7, num_experts_per_tok=2,
        sliding_window=None))
    yield "qwen2_moe", (hf.Qwen2MoeForCausalLM, hf.Qwen2MoeConfig(
        **{**BASE, "num_hidden_layers": 3}, num_experts=5, num_experts_per_tok=3, moe_intermediate_size=12,
        shared_expert_intermediate_size=20, norm_topk_prob=False, mlp_only_layers=[1]))
    yield "qwen3_moe", (hf.Qwen3MoeForCausalLM, hf.Qwen3MoeConfig(
        **BASE, head_dim=24, num_experts=5, num_experts_per_tok=2, moe_intermediate_size=12, norm_topk_prob=True))
    yield "deepseek_v2_lite", (hf.DeepseekV2ForCausalLM, hf.DeepseekV2Config(
        **{**BASE, **MLA}, q_lora_rank=None, topk_method="greedy", n_group=1, topk_group=1, routed_scaling_factor=1.0,
        rope_scaling=yarn(mscale=0.707, mscale_all_dim=0.707)))
    yield "deepseek_v2", (hf.DeepseekV2ForCausalLM, hf.DeepseekV2Config(
        **{**BASE, **MLA}, q_lora_rank=16, topk_method="group_limited_greedy", n_group=3, topk_group=2,
        routed_scaling_factor=2.5, rope_scaling=yarn(mscale=0.9, mscale_all_dim=0.6)))
    yield "qwen2_value", (hf.Qwen2ForSequenceClassification, hf.Qwen2Config(**BASE, num_labels=1))


def formula(name, shape):
    """tests/support/formula_weights.h says the same in C++."""
    hashed = 14695981039346656037
    for byte in name.encode():
        hashed = ((hashed ^ byte) * 1099511628211) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(hashed) + np.arange(int(np.prod(shape)), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    centred = (z >> np.uint64(53)).astype(np.int64) - 1024  # 11 bits
    values = centred.astype(np.float32) * np.float32(0.4 / 1024)
    if len(shape) == 1 and not name.endswith(".bias"):
        values = np.float32(1) + np.float32(0.5) * values
    return torch.from_numpy(values.reshape(shape))


def make(model_class, config):
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    model = model_class(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(formula(name, tuple(parameter.shape)))
    model = model.double().eval()
    scaling = getattr(config, "rope_scaling", None) or {}
    if "DeepseekV2" in model_class.__name__ and scaling.get("mscale_all_dim"):
        # DeepSeek's released code multiplies scores by the square of yarn's m; transformers 4.57 leaves it out.
        m = 0.1 * scaling["mscale_all_dim"] * np.log(scaling["factor"]) + 1
        for layer in model.model.layers:
            layer.self_attn.scaling = layer.self_attn.qk_head_dim ** -0.5 * m * m
    return model


class CloseChoice(Exception):
    """Which experts a token goes to hangs on rounding: other tokens have to be taken."""


def choose(config, logits):
    """Experts by falling probability and weights, from router logits [T, E]."""
    probabilities = logits.softmax(-1)
    open_to = probabilities.clone()
    if getattr(config, "topk_method", "") == "group_limited_greedy":
        groups = probabilities.view(len(logits), config.n_group, -1)
        best = groups.max(-1).values.topk(config.topk_group, -1).indices
        mask = torch.zeros(groups.shape[:2]).scatter_(1, best, 1).unsqueeze(-1).expand(groups.shape).reshape(logits.shape)
        open_to = probabilities * mask
    ranked = open_to.sort(-1, descending=True).values
    k = config.num_experts_per_tok
    if float((ranked[:, k - 1] - ranked[:, k]).min()) < 5e-5:
        raise CloseChoice
    weights, experts = open_to.topk(k, -1)
    if config.model_type == "mixtral" or config.norm_topk_prob:
        return experts, weights / weights.sum(-1, keepdim=True)
    return experts, weights * getattr(config, "routed_scaling_factor", 1.0)


def watch(model):
    """Hooks that collect the hidden state behind each layer and the logits of each router."""
    hidden, routed = {}, {}
    for index, layer in enumerate(model.model.layers):
        def keep(_module, _inputs, output, at=index):
            hidden[at] = (output[0] if isinstance(output, tuple) else output).detach().reshape(NUM_TOKENS, -1)
        layer.register_forward_hook(keep)
        block = layer.mlp if hasattr(layer, "mlp") else layer.block_sparse_moe
        if hasattr(block, "gate") and hasattr(block, "experts"):
            def keep_router(module, inputs, _output, at=index):
                rows = inputs[0].detach().reshape(NUM_TOKENS, -1)
                routed[at] = rows @ module.weight.detach().to(rows.dtype).T
            block.gate.register_forward_hook(keep_router)
    return hidden, routed


def loss_of(model, ids):
    return torch.nn.functional.cross_entropy(model(ids).logits[0, :-1], ids[0, 1:])


def sketches(name, gradient):
    if gradient.dim() == 1:
        yield f"gradient.{name}", gradient.float()
        return
    matrix = gradient.reshape(-1, gradient.shape[-1])
    u = torch.cos(torch.arange(matrix.shape[1], dtype=torch.float64) + 1)
    v = torch.sin(torch.arange(matrix.shape[0], dtype=torch.float64) + 1)
    yield f"gradient_rows.{name}", (matrix @ u).float()
    yield f"gradient_columns.{name}", (v @ matrix).float()


def write(name, model_class, config):
    for seed in range(1000):
        try:
            return write_with_tokens(name, model_class, config, seed)
        except CloseChoice:
            continue


def write_with_tokens(name, model_class, config, seed):
    model = make(model_class, config)
    ids = torch.randint(0, config.vocab_size, (1, NUM_TOKENS), generator=torch.Generator().manual_seed(seed))
    hidden, routed = watch(model)
    expected, losses = {}, []
    if "SequenceClassification" in model_class.__name__:
        expected["values"] = model.score(model.model(ids).last_hidden_state)[0, :, 0].detach().float()
    else:
        expected["logits"] = model(ids).logits[0].detach().float()
        loss = loss_of(model, ids)
        loss.backward()
        for key, parameter in model.named_parameters():
            expected.update(sketches(key, parameter.grad if parameter.grad is not None
                                     else torch.zeros_like(parameter)))
    for layer, value in hidden.items():
        expected[f"hidden.{layer}"] = value.float()
    for layer, logits in routed.items():
        experts, weights = choose(config, logits)
        expected.update({f"router.{layer}": logits.float(), f"experts.{layer}": experts.float(),
                         f"weights.{layer}": weights.float()})
    if "logits" in expected:
        optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.95), eps=EPSILON,
                                      weight_decay=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            loss = loss_of(model, ids)
            losses.append(loss.item())
            loss.backward()
            for parameter in model.parameters():  # of experts without tokens: 0, where torch would pass them over
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            optimizer.step()
            for logits in routed.values():
                choose(config, logits)
        losses.append(loss_of(model, ids).item())
        for logits in routed.values():
            choose(config, logits)
    save_file({key: value.contiguous() for key, value in expected.items()}, FOLDER / f"{name}.safetensors")
    config.architectures = [model_class.__name__]
    entry = {"config": json.loads(config.to_json_string(use_diff=True)), "token_ids": ids[0].tolist(), "losses": losses}
    (FOLDER / f"{name}.json").write_text(json.dumps(entry, indent=1) + "\n")


def main():
    FOLDER.mkdir(exist_ok=True)
    wanted = sys.argv[1:]
    for name, (model_class, config) in models():
        if not wanted or name in wanted:
            write(name, model_class, config)
            print(name, (FOLDER / f"{name}.safetensors").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
