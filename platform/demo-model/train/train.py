"""Trains the demo model: train.py --tokenizer FILE --out FOLDER --minutes N [--decay N] [--rate R] [--workers N]

Workers of one thread each compute gradients on batches of their own and step the same weights in turn, in shared
memory: on a busy machine none waits for another. Takes up FOLDER/last.pt where there is one; the rate warms up, stays,
and falls to nothing in the last --decay minutes, so a run can be continued on a grown corpus. Every shard of the
corpus is new: nothing is seen twice.
"""
import argparse
import pathlib
import random
import time

import torch
import torch.multiprocessing as processes
import torch.nn.functional as F

import data
from model import Model

SHARD = 2000


def accuracy(model, held):
    """The part of all answers that are told right to the last token, and the loss a token."""
    model.eval()
    right = answers = tokens = 0
    loss = 0.0
    with torch.no_grad():
        for ids, chosen, targets, _ in held:
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
    return right / answers, loss / tokens


def even(update):
    """The update with all its directions made equally long (Muon's Newton-Schulz iteration)."""
    x = update.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(4):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return (x.T if tall else x).float() * max(1, update.shape[0] / update.shape[1]) ** 0.5


def work(number, master, optimizer, chosen, began, first, steps, seen, sums, lock):
    torch.set_num_threads(1)
    torch.manual_seed(first + number)
    encoder = data.Encoder(chosen.tokenizer, first + number)
    model = Model().bfloat16().train()  # the weights in full precision are shared; this BF16 copy runs
    pairs = list(zip(master.parameters(), model.parameters()))
    matrices = [p for name, p in master.named_parameters() if p.dim() == 2 and name != "embed.weight"]
    speeds = [torch.zeros_like(p) for p in matrices]
    seed, begun = first + number, steps.value
    while True:
        chance = random.Random(seed)
        encoded = [encoder.encode(m, True, chosen.cut) for m in data.conversations(seed, SHARD)]
        for ids, positions, targets, weights in data.batches(encoded, chosen.tokens, 320, chance, 0.35, users=0.06,
                                                             ends=1 / (1 - chosen.cut)):
            minutes = (time.time() - began) / 60
            if minutes > chosen.minutes:
                return
            part = min(1, (steps.value - begun + 1) / chosen.warmup)
            if chosen.decay:
                part *= max(0.0, min(1, (chosen.minutes - minutes) / chosen.decay))
            with torch.no_grad():
                for full, half in pairs:
                    half.copy_(full)
                    half.grad = None
            loss = (F.cross_entropy(model(ids, positions, chosen.dropout), targets, reduction="none") * weights).sum()
            loss = loss / weights.sum()
            loss.backward()
            for full, half in pairs:
                full.grad = half.grad.float()
            torch.nn.utils.clip_grad_norm_(master.parameters(), 1.0)
            turns = []
            for p, speed in zip(matrices, speeds):
                speed.mul_(0.95).add_(p.grad)
                turns.append(even(p.grad + 0.95 * speed))
            with lock:
                for group in optimizer.param_groups:
                    group["lr"] = chosen.rate * part
                optimizer.step()
                with torch.no_grad():
                    for p, turn in zip(matrices, turns):
                        p.mul_(1 - 0.05 * chosen.muon * part).add_(turn, alpha=-chosen.muon * part)
                steps.value += 1
                seen.value += ids.numel()
                sums[0] += loss.item()
                sums[1] += 1
                sums[2] = max(sums[2], seed)
                sums[3] = part
        seed += chosen.workers


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tokenizer", required=True)
    options.add_argument("--out", required=True)
    options.add_argument("--minutes", type=float, required=True)
    options.add_argument("--decay", type=float, default=0)
    options.add_argument("--rate", type=float, default=4e-3, help="of the embeddings and norms (Adam)")
    options.add_argument("--muon", type=float, default=0.02, help="rate of the matrices (Muon)")
    options.add_argument("--warmup", type=int, default=60, help="steps")
    options.add_argument("--tokens", type=int, default=3072, help="in a batch")
    options.add_argument("--cut", type=float, default=0.6, help="part of conversations whose last answer is cut off")
    options.add_argument("--dropout", type=float, default=0.0)
    options.add_argument("--seed", type=int, default=1000)
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(chosen.seed)
    out = pathlib.Path(chosen.out)
    out.mkdir(parents=True, exist_ok=True)
    master = Model().share_memory()
    others = [p for name, p in master.named_parameters() if p.dim() == 1 or name == "embed.weight"]
    optimizer = torch.optim.AdamW(others, lr=chosen.rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    for p in others:  # made now, so that all workers share it
        optimizer.state[p] = {"step": torch.zeros(()), "exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}
    state = {"step": 0, "seen": 0, "shard": chosen.seed - 1, "spent": 0.0}
    last = out / "last.pt"
    if last.exists():
        state = torch.load(last, weights_only=False)
        master.load_state_dict(state["model"])
    for values in optimizer.state.values():
        for tensor in values.values():
            tensor.share_memory_()
    held_encoder = data.Encoder(chosen.tokenizer, 0)
    held = list(data.batches([held_encoder.encode(m, False) for m in data.conversations(7, 300, True)],
                             3072, 1024, random.Random(7)))
    fork = processes.get_context("fork")
    steps, seen, sums, lock = fork.Value("q", state["step"]), fork.Value("q", state["seen"]), fork.Array("d", 4), fork.Lock()
    began = time.time()
    workers = [fork.Process(target=work, args=(i, master, optimizer, chosen, began, state["shard"] + 1, steps, seen, sums,
                                               lock)) for i in range(chosen.workers)]
    for worker in workers:
        worker.start()

    def save():
        with lock:
            torch.save({"model": master.state_dict(), "step": steps.value,
                        "seen": seen.value, "shard": int(sums[2]), "spent": state["spent"] + time.time() - began},
                       out / "new.pt")
        (out / "new.pt").rename(last)

    logged, saved, tested, before = began, began, began, seen.value
    while any(w.is_alive() for w in workers):
        time.sleep(2)
        now = time.time()
        if now - logged > 30 and sums[1]:
            with lock:
                print(f"step {steps.value} shard {int(sums[2])} loss {sums[0] / sums[1]:.4f} rate {sums[3]:.3f} tokens/s "
                      f"{(seen.value - before) / (now - logged):.0f} tokens {seen.value / 1e6:.2f} M "
                      f"minutes {(state['spent'] + now - began) / 60:.1f}", flush=True)
                sums[0] = sums[1] = 0
            logged, before = now, seen.value
        if now - saved > 150:
            save()
            saved = now
        if now - tested > 400:
            print("  held out: answers right %.3f loss %.4f" % accuracy(master, held), flush=True)
            tested = time.time()
    save()
    print("end: answers right %.3f loss %.4f" % accuracy(master, held), flush=True)


if __name__ == "__main__":
    main()
