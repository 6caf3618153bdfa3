"""Checks that a model folder written by plumb is what transformers takes it for.

usage: check_hf_folder.py FOLDER [GGUF]

Loads FOLDER with AutoModelForCausalLM and AutoTokenizer. With GGUF, the file it came from, compares against what
transformers itself makes of the GGUF's tensors (read and dequantised by the gguf package): every weight by bits (after
rounding to bfloat16 where the folder is in bfloat16), the logits of a prompt, token ids, and the chat template's text.
Needs torch, transformers and gguf in a throw-away environment; no part of ./check.
"""

import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

TEXTS = ["Hello, world! 2024 it's", "def f(x):\n    return x + 10\n", "naïve café 😀 ½ x²", "<|im_start|>user\nhi<|im_end|>\n"]
NAMES = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
         "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}


def reference_model(path):
    """A LlamaForCausalLM filled from the GGUF without any code of plumb; also the reader."""
    from gguf import GGUFReader
    from gguf.quants import dequantize
    reader = GGUFReader(path)
    meta = lambda key: reader.fields[key].contents()
    heads, kv = meta("llama.attention.head_count"), meta("llama.attention.head_count_kv")
    state = {}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).reshape([int(n) for n in reversed(tensor.shape)])
        parts = tensor.name.split(".")
        if parts[0] == "blk":
            if parts[2] in ("attn_q", "attn_k"):
                n = heads if parts[2] == "attn_q" else kv
                values = values.reshape(n, values.shape[0] // n // 2, 2, -1).swapaxes(1, 2).reshape(values.shape)
            name = f"model.layers.{parts[1]}.{NAMES[parts[2]]}.weight"
        else:
            name = {"token_embd": "model.embed_tokens.weight", "output_norm": "model.norm.weight",
                    "output": "lm_head.weight"}[parts[0]]
        state[name] = torch.tensor(np.ascontiguousarray(values, dtype=np.float32))
    tied = "lm_head.weight" not in state
    config = LlamaConfig(
        vocab_size=meta("llama.vocab_size"), hidden_size=meta("llama.embedding_length"),
        intermediate_size=meta("llama.feed_forward_length"), num_hidden_layers=meta("llama.block_count"),
        num_attention_heads=heads, num_key_value_heads=kv, max_position_embeddings=meta("llama.context_length"),
        rms_norm_eps=1e-5, tie_word_embeddings=tied,
        rope_parameters={"rope_type": "default", "rope_theta": meta("llama.rope.freq_base")})
    model = LlamaForCausalLM(config)
    if tied:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state, strict=True)
    return model.eval(), reader


def reference_tokenizer(reader):
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    meta = lambda key: reader.fields[key].contents()
    tokens, kinds = meta("tokenizer.ggml.tokens"), meta("tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in meta("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k == 3])
    return tokenizer


def main():
    folder = sys.argv[1]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, dtype="auto")
    print("dtype", model.dtype, "missing", sorted(info["missing_keys"]), "unexpected", sorted(info["unexpected_keys"]))
    assert not info["missing_keys"] and not info["unexpected_keys"]
    print("tokenizer", type(tokenizer).__name__, "eos", tokenizer.eos_token, "bos", tokenizer.bos_token, "pad",
          tokenizer.pad_token)
    print("rope", getattr(model.config, "rope_parameters", None), "eos id", model.generation_config.eos_token_id)
    if len(sys.argv) < 3:
        return
    reference, reader = reference_model(sys.argv[2])
    ours = model.state_dict()
    for name, value in reference.state_dict().items():
        assert torch.equal(ours[name], value.to(model.dtype)), name
    print(f"{len(ours)} tensors equal, bit for bit")
    expected = reference_tokenizer(reader)
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        assert ids == expected.encode(text).ids, text
        assert tokenizer.decode(ids) == expected.decode(ids, skip_special_tokens=False), text
    print(f"{len(TEXTS)} texts: same ids, same decoding")
    conversation = [{"role": "user", "content": "Add 2 and 3."}]
    text = tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True)
    print("chat template:", repr(text))
    ids = torch.tensor([expected.encode(text).ids])
    with torch.no_grad():
        got, want = model.float()(ids).logits, reference.to(model.dtype).float()(ids).logits
    print("largest logit difference", (got - want).abs().max().item())
    if ours["model.norm.weight"].dtype == torch.float32:
        assert torch.equal(got, want)
    print("greedy:", tokenizer.decode(model.generate(ids, max_new_tokens=24, do_sample=False)[0][ids.shape[1]:]))


if __name__ == "__main__":
    main()
