"""Writes a checkpoint as a Hugging Face directory: export.py CHECKPOINT.pt TOKENIZER.json FOLDER"""
import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file

from model import CONFIG as C

TEMPLATE = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + "
            "'<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def tensors(state):
    """The weights under the names that LlamaForCausalLM gives them."""
    yield "model.embed_tokens.weight", state["embed.weight"]
    yield "model.norm.weight", state["norm"]
    for i in range(C["layers"]):
        mine, theirs = f"layers.{i}.", f"model.layers.{i}."
        q, k, v = state[mine + "qkv.weight"].split([n * C["head_dim"] for n in (C["heads"], C["kv"], C["kv"])])
        gate, up = state[mine + "gate_up.weight"].chunk(2)
        yield theirs + "self_attn.q_proj.weight", q
        yield theirs + "self_attn.k_proj.weight", k
        yield theirs + "self_attn.v_proj.weight", v
        yield theirs + "self_attn.o_proj.weight", state[mine + "out.weight"]
        yield theirs + "mlp.gate_proj.weight", gate
        yield theirs + "mlp.up_proj.weight", up
        yield theirs + "mlp.down_proj.weight", state[mine + "down.weight"]
        yield theirs + "input_layernorm.weight", state[mine + "norm1"]
        yield theirs + "post_attention_layernorm.weight", state[mine + "norm2"]


def main(checkpoint, tokenizer, folder):
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    state = torch.load(checkpoint, weights_only=False)["model"]
    save_file({n: t.bfloat16().contiguous() for n, t in tensors(state)}, out / "model.safetensors", {"format": "pt"})
    config = {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
        "bos_token_id": None, "dtype": "bfloat16", "eos_token_id": 2, "head_dim": C["head_dim"], "hidden_act": "silu",
        "hidden_size": C["hidden"], "initializer_range": 0.02, "intermediate_size": C["inner"],
        "max_position_embeddings": 1024, "mlp_bias": False, "model_type": "llama",
        "num_attention_heads": C["heads"], "num_hidden_layers": C["layers"], "num_key_value_heads": C["kv"],
        "pad_token_id": 0, "pretraining_tp": 1, "rms_norm_eps": C["eps"],
        "rope_parameters": {"rope_theta": C["theta"], "rope_type": "default"}, "tie_word_embeddings": True,
        "use_cache": True, "vocab_size": C["vocab"]}
    generation = {"do_sample": False, "eos_token_id": 2, "pad_token_id": 0, "max_new_tokens": 160, "use_cache": True}
    words = {"backend": "tokenizers", "chat_template": TEMPLATE, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
             "model_max_length": 1024, "tokenizer_class": "PreTrainedTokenizerFast"}
    for name, content in (("config", config), ("generation_config", generation), ("tokenizer_config", words)):
        (out / (name + ".json")).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    print("parameters:", sum(t.numel() for _, t in tensors(state)))


if __name__ == "__main__":
    main(*sys.argv[1:])
