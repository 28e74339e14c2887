"""Measures a model in PyTorch and transformers when told to: python3 -c THIS MODEL_DIR THREADS.

The same lines as `millrace bench --turns`: prefill TOKENS; decode STREAMS PROMPT OUTPUT. Each is
answered by a line of JSON. Weights and products in BF16; greedy; only the last row goes through the
head, as `generate` does it.
"""
import json
import sys
import time

import torch
import transformers


def say(answer):
    print(json.dumps(answer), flush=True)


def prompts(streams, tokens):
    return torch.randint(16, 256, (streams, tokens))


def prefill(tokens):
    ids = prompts(1, tokens)
    start = time.perf_counter()
    model(ids, use_cache=True, logits_to_keep=1)
    return tokens / (time.perf_counter() - start)


def decode(streams, prompt, output):
    step = model(prompts(streams, prompt), use_cache=True, logits_to_keep=1)
    start = time.perf_counter()
    for _ in range(output - 1):
        ids = step.logits[:, -1:].argmax(-1)
        step = model(ids, past_key_values=step.past_key_values, use_cache=True)
    return streams * (output - 1) / (time.perf_counter() - start)


torch.set_num_threads(int(sys.argv[2]))
began = time.perf_counter()
model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.bfloat16).eval()
say({"device": f"PyTorch {torch.__version__}", "open_seconds": time.perf_counter() - began})
with torch.inference_mode():
    for line in sys.stdin:
        what, *numbers = line.split()
        measure = {"prefill": prefill, "decode": decode}[what]
        say({"tokens_per_second": measure(*map(int, numbers))})
