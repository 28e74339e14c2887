#!/usr/bin/env python3
"""Writes transformers-cases.json.gz: what Hugging Face transformers makes of rows of logits.

Run it in this folder; needs transformers 5.12.1, torch and numpy. Everything is computed in F64.

Logit i of a case is F32((u - 1/2) * scale), where u is the upper 24 bits of splitmix64(seed * 2^32 + i) over 2^24.
Then come, in this order: transformers' repetition penalty, OpenAI's frequency and presence penalties over the answer,
transformers' sequence bias, temperature, top-k, top-p and min-p. transformers itself would add the bias before the
repetition penalty, so no case biases a token that is in its prompt or answer.
"""
import gzip
import json
import pathlib

import numpy
import torch
from transformers import generation

FILE = pathlib.Path(__file__).with_suffix(".json.gz")
MASK = (1 << 64) - 1


def splitmix64(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


def logits(case):
    units = [(splitmix64((case["seed"] << 32) + i) >> 40) / (1 << 24) for i in range(case["vocabulary"])]
    return ((numpy.array(units) - 0.5) * case["scale"]).astype(numpy.float32).astype(numpy.float64)


def processed(case):
    ids = torch.tensor([case["prompt"] + case["answer"]])
    scores = torch.from_numpy(logits(case))[None]
    if case["repetition"] != 1:
        scores = generation.RepetitionPenaltyLogitsProcessor(case["repetition"])(ids, scores)
    counts = numpy.bincount(case["answer"], minlength=case["vocabulary"])
    scores = scores - torch.from_numpy(counts * case["frequency"] + (counts > 0) * case["presence"])
    if case["bias"]:
        assert not set(ids[0].tolist()) & {int(token) for token in case["bias"]}
        bias = [[[int(token)], by] for token, by in case["bias"].items()]
        scores = generation.SequenceBiasLogitsProcessor(bias)(ids, scores)
    scores = generation.TemperatureLogitsWarper(case["temperature"])(ids, scores)
    if case["top_k"] > 0:
        scores = generation.TopKLogitsWarper(case["top_k"])(ids, scores)
    if case["top_p"] < 1:
        scores = generation.TopPLogitsWarper(case["top_p"])(ids, scores)
    if case["min_p"] > 0:
        scores = generation.MinPLogitsWarper(case["min_p"])(ids, scores)
    return torch.softmax(scores[0], -1)


def answered(case):
    probabilities = processed(case)
    assert probabilities.dtype == torch.float64
    order = torch.argsort(probabilities, descending=True, stable=True)
    kept = [token for token in order.tolist() if probabilities[token] > 0]
    return case | {"tokens": kept, "probabilities": [float(f"{probabilities[token]:.9g}") for token in kept]}


def cases():
    cuts = [
        (1.0, 0, 1.0, 0.0), (0.3, 0, 1.0, 0.0), (1.7, 0, 1.0, 0.0), (1.0, 1, 1.0, 0.0), (1.0, 20, 1.0, 0.0),
        (0.7, 40, 1.0, 0.0), (1.0, 5000, 1.0, 0.0), (1.0, 0, 0.9, 0.0), (0.8, 0, 0.95, 0.0), (1.5, 0, 0.5, 0.0),
        (1.0, 0, 0.01, 0.0), (1.0, 0, 1.0, 0.05), (1.4, 0, 1.0, 0.2), (1.0, 0, 1.0, 1.0), (0.9, 30, 0.9, 0.0),
        (1.2, 50, 1.0, 0.1), (1.3, 0, 0.8, 0.1), (1.0, 40, 0.95, 0.05), (1.6, 25, 0.7, 0.02), (0.6, 10, 0.99, 0.3),
    ]
    changes = [
        (1.0, 0.0, 0.0, {}), (1.3, 0.0, 0.0, {}), (0.8, 0.0, 0.0, {}), (1.0, 0.7, 0.0, {}), (1.0, 0.0, 0.4, {}),
        (1.0, -1.5, -0.2, {}), (1.0, 0.0, 0.0, {"3": 4.0, "41": -100.0}), (1.2, 0.5, 0.3, {"7": 1.5, "30": -2.0}),
    ]
    sizes = [50, 64, 333, 1000, 2000]
    for i in range(len(cuts) + 2 * len(changes)):
        temperature, top_k, top_p, min_p = cuts[i % len(cuts)]
        repetition, presence, frequency, bias = changes[i % len(changes)] if i >= len(cuts) else changes[0]
        yield {
            "vocabulary": sizes[i % 5], "seed": i + 1, "scale": [6, 12, 24][i % 3], "temperature": temperature,
            "top_k": top_k, "top_p": top_p, "min_p": min_p, "repetition": repetition, "presence": presence,
            "frequency": frequency, "bias": bias, "prompt": [1, 5, 8, 5, 20], "answer": [8, 2, 8, 11, 8, 45, 2],
        }


text = "[\n" + ",\n".join(json.dumps(answered(case)) for case in cases()) + "\n]\n"
FILE.write_bytes(gzip.compress(text.encode(), mtime=0))
print(len(text), "bytes of JSON")
