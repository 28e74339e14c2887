"""Trains the demo model: train.py --tokenizer FILE --out FOLDER --minutes N [--decay N] [--rate R]

Takes up FOLDER/last.pt where there is one; the rate warms up, stays, and falls to nothing in the last --decay
minutes, so a run can be continued on a grown corpus. Every shard of the corpus is new: nothing is seen twice.
"""
import argparse
import pathlib
import queue
import random
import threading
import time

import torch
import torch.nn.functional as F

import data
from model import Model

SHARD = 8000


def shards(encoder, seed, tokens, limit, out):
    """Batches without end, made beside the training."""
    while True:
        chance = random.Random(seed)
        encoded = [encoder.encode(m, True) for m in data.conversations(seed, SHARD)]
        for batch in data.batches(encoded, tokens, limit, chance, keep=0.35):
            out.put((seed, batch))
        seed += 1


def accuracy(model, held):
    """The part of all answers that are told right to the last token, and the loss a token."""
    model.eval()
    right = answers = tokens = 0
    loss = 0.0
    with torch.no_grad():
        for ids, chosen, targets in held:
            logits = model(ids, chosen)
            loss += F.cross_entropy(logits, targets, reduction="sum").item()
            tokens += len(targets)
            good = logits.argmax(-1) == targets
            ends = targets == 2  # <|im_end|> closes an answer
            number = torch.cumsum(ends, 0) - ends.long()
            wrong = torch.zeros(int(ends.sum()), dtype=torch.bool)
            wrong[number[~good]] = True
            answers += len(wrong)
            right += len(wrong) - int(wrong.sum())
    model.train()
    return right / answers, loss / tokens


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tokenizer", required=True)
    options.add_argument("--out", required=True)
    options.add_argument("--minutes", type=float, required=True)
    options.add_argument("--decay", type=float, default=0)
    options.add_argument("--rate", type=float, default=1.5e-3)
    options.add_argument("--tokens", type=int, default=4096, help="in a batch")
    options.add_argument("--seed", type=int, default=1000)
    options.add_argument("--threads", type=int, default=2)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    out = pathlib.Path(chosen.out)
    out.mkdir(parents=True, exist_ok=True)
    master = Model()  # the weights in full precision; the model that runs is their BF16 copy
    model = Model().bfloat16()
    decayed = [p for p in master.parameters() if p.dim() == 2]
    plain = [p for p in master.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}],
                                  lr=chosen.rate, betas=(0.9, 0.98), fused=True)
    step, seen, seed, spent = 0, 0, chosen.seed, 0.0
    last = out / "last.pt"
    if last.exists():
        state = torch.load(last, weights_only=False)
        master.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, seen, seed, spent = state["step"], state["seen"], state["shard"] + 1, state["spent"]
    pairs = list(zip(master.parameters(), model.parameters()))
    encoder = data.Encoder(chosen.tokenizer, seed)
    held_encoder = data.Encoder(chosen.tokenizer, 0)
    held = list(data.batches([held_encoder.encode(m, False) for m in data.conversations(7, 600, True)],
                             4096, 1024, random.Random(7)))
    ready = queue.Queue(40)
    threading.Thread(target=shards, args=(encoder, seed, chosen.tokens, 320, ready), daemon=True).start()

    def save():
        state = {"model": master.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seen": seen,
                 "shard": seed, "spent": spent + time.time() - began}
        torch.save(state, out / "new.pt")
        (out / "new.pt").rename(last)

    began, saved, sums, logged, count = time.time(), time.time(), 0.0, time.time(), 0
    while True:
        minutes = (time.time() - began) / 60
        if minutes > chosen.minutes:
            break
        rate = chosen.rate * min(1, (step + 1) / 200)
        if chosen.decay:
            rate *= max(0.0, min(1, (chosen.minutes - minutes) / chosen.decay))
        for group in optimizer.param_groups:
            group["lr"] = rate
        seed, (ids, positions, targets) = ready.get()
        with torch.no_grad():
            for full, half in pairs:
                half.copy_(full)
                half.grad = None
        loss = F.cross_entropy(model(ids, positions, 0.05), targets)
        loss.backward()
        for full, half in pairs:
            full.grad = half.grad.float()
        torch.nn.utils.clip_grad_norm_(master.parameters(), 1.0)
        optimizer.step()
        step, seen, sums, count = step + 1, seen + ids.numel(), sums + loss.item(), count + ids.numel()
        if step % 50 == 0:
            now = time.time()
            print(f"step {step} shard {seed} loss {sums / 50:.4f} rate {rate:.2e} tokens/s {count / (now - logged):.0f}"
                  f" minutes {(spent + now - began) / 60:.1f}", flush=True)
            sums, logged, count = 0.0, now, 0
        if step % 500 == 0:
            right, lost = accuracy(model, held)
            print(f"  held out: answers right {right:.3f} loss {lost:.4f}", flush=True)
        if time.time() - saved > 150:
            save()
            saved = time.time()
    save()
    with torch.no_grad():
        for full, half in pairs:
            half.copy_(full)
    print("end: answers right %.3f loss %.4f" % accuracy(model, held), flush=True)


if __name__ == "__main__":
    main()
