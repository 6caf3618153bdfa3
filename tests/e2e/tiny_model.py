"""Random models of 0.1M weights as Hugging Face folders, so that whole trainings take seconds: a Llama, and a mixture
with latent attention."""

import json
import pathlib
import random
import struct

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

CHATML = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' "
          "+ '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")

SHAPE = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 64,
         "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "head_dim": 16, "max_position_embeddings": 1024, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
         "tie_word_embeddings": True, "vocab_size": 480, "bos_token_id": 1, "eos_token_id": 2}

LATENT_SHAPE = {"architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "hidden_act": "silu",
                "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "first_k_dense_replace": 1,
                "num_attention_heads": 4, "num_key_value_heads": 4, "q_lora_rank": None, "kv_lora_rank": 16,
                "qk_nope_head_dim": 12, "qk_rope_head_dim": 6, "v_head_dim": 12, "n_routed_experts": 4,
                "num_experts_per_tok": 2, "n_shared_experts": 1, "moe_intermediate_size": 24, "n_group": 1,
                "topk_group": 1, "topk_method": "greedy", "norm_topk_prob": False, "routed_scaling_factor": 1.0,
                "max_position_embeddings": 1024, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                "tie_word_embeddings": True, "vocab_size": 480, "bos_token_id": 1, "eos_token_id": 2}


def feed_forward(at, inner, hidden):
    yield at + "gate_proj.weight", (inner, hidden)
    yield at + "up_proj.weight", (inner, hidden)
    yield at + "down_proj.weight", (hidden, inner)


def attention(at, shape):
    hidden, heads = shape["hidden_size"], shape["num_attention_heads"]
    if "kv_lora_rank" not in shape:
        kv = shape["num_key_value_heads"] * shape["head_dim"]
        yield at + "q_proj.weight", (hidden, hidden)
        yield at + "k_proj.weight", (kv, hidden)
        yield at + "v_proj.weight", (kv, hidden)
        yield at + "o_proj.weight", (hidden, hidden)
        return
    rank, nope, rope, value = (shape[key] for key in ("kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"))
    yield at + "q_proj.weight", (heads * (nope + rope), hidden)
    yield at + "kv_a_proj_with_mqa.weight", (rank + rope, hidden)
    yield at + "kv_a_layernorm.weight", (rank,)
    yield at + "kv_b_proj.weight", (heads * (nope + value), rank)
    yield at + "o_proj.weight", (hidden, heads * value)


def tensor_shapes(shape):
    hidden = shape["hidden_size"]
    yield "model.embed_tokens.weight", (shape["vocab_size"], hidden)
    for layer in range(shape["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        yield at + "input_layernorm.weight", (hidden,)
        yield from attention(at + "self_attn.", shape)
        yield at + "post_attention_layernorm.weight", (hidden,)
        if layer < shape.get("first_k_dense_replace", layer + 1):
            yield from feed_forward(at + "mlp.", shape["intermediate_size"], hidden)
            continue
        yield at + "mlp.gate.weight", (shape["n_routed_experts"], hidden)
        for expert in range(shape["n_routed_experts"]):
            yield from feed_forward(f"{at}mlp.experts.{expert}.", shape["moe_intermediate_size"], hidden)
        yield from feed_forward(at + "mlp.shared_experts.", shape["n_shared_experts"] * shape["moe_intermediate_size"], hidden)
    yield "model.norm.weight", (hidden,)


def write_tiny_model(folder, seed=1, shape=SHAPE):
    """Writes config.json, model.safetensors, tokenizer.json and tokenizer_config.json."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    numbers = random.Random(seed)
    header, data = {}, b""
    for name, dims in tensor_shapes(shape):
        count = dims[0] * (dims[1] if len(dims) > 1 else 1)
        values = [1.0] * count if len(dims) == 1 else [numbers.gauss(0, 0.08) for _ in range(count)]
        header[name] = {"dtype": "F32", "shape": list(dims), "data_offsets": [len(data), len(data) + 4 * count]}
        data += struct.pack(f"<{count}f", *values)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / "config.json").write_text(json.dumps(shape))
    (folder / "tokenizer.json").write_text((REPOSITORY / "tests/golden/tokenizer_small_smollm.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "chat_template": CHATML, "eos_token": "<|im_end|>", "bos_token": "<|im_start|>",
        "tokenizer_class": "PreTrainedTokenizerFast"}))
    return folder


def read_tensors(path):
    """Name to bytes of every tensor of a safetensors file."""
    content = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    return {name: data[slice(*entry["data_offsets"])] for name, entry in header.items() if name != "__metadata__"}


def write_tiny_model_that_fills_in(folder):
    """The same with the special tokens of fill-in-the-middle."""
    write_tiny_model(folder, shape=SHAPE | {"vocab_size": 483})
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    names = ("<fim_prefix>", "<fim_middle>", "<fim_suffix>")
    tokenizer["added_tokens"] += [tokenizer["added_tokens"][0] | {"id": 480 + number, "content": name}
                                  for number, name in enumerate(names)]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return folder
