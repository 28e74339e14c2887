"""The perplexity of a model on held-out conversations: perplexity.py MODEL_FOLDER HELDOUT.txt

Each conversation is read alone, in F32; its first token is given. Prints the perplexity of a token over everything, and
over what the assistant says, the mark of its end included.
"""
import math
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(folder, file):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    opening = tokenizer("<|im_start|>assistant\n").input_ids
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    text = open(file, encoding="utf-8").read()
    sums = {"everything": [0.0, 0], "the assistant": [0.0, 0]}
    for chat in filter(str.strip, text.split("\n\n")):
        ids = tokenizer(chat.strip("\n") + "\n").input_ids
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, :-1]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none").tolist()
        inside = False
        for i, loss in enumerate(losses, 1):
            for name in ("everything",) + (("the assistant",) if inside else ()):
                sums[name][0] += loss
                sums[name][1] += 1
            if ids[i + 1 - len(opening):i + 1] == opening:
                inside = True
            elif ids[i] == end:
                inside = False
    for name, (loss, tokens) in sums.items():
        print(f"{name}: {math.exp(loss / tokens):.3f} over {tokens} tokens")


if __name__ == "__main__":
    main(*sys.argv[1:])
