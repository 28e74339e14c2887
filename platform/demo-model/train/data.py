"""Turns conversations into batches: tokens, and which of them the loss is taken on (the assistant's)."""
import json
import pathlib
import random
import subprocess
import sys

import torch
from tokenizers import Tokenizer

THEIRS, SAID, FIRST, END = range(4)
CORPUS = pathlib.Path(__file__).resolve().parent.parent / "corpus" / "corpus.py"


class Encoder:
    def __init__(self, path, seed):
        self.plain = Tokenizer.from_file(path)
        # a user's words are often cut in other ways: misspelled words then look less strange
        self.dropped = Tokenizer.from_file(path)
        self.dropped.model.dropout = 0.12
        self.random = random.Random(seed)
        self.known = {}
        self.start = {r: self.plain.encode("<|im_start|>" + r + "\n").ids for r in ("system", "user", "assistant")}
        self.end = self.plain.encode("<|im_end|>\n").ids

    def answer(self, text):
        if text not in self.known:
            self.known[text] = self.plain.encode(text).ids
        return self.known[text]

    def encode(self, messages, vary, cut=0.0):
        """Token ids, and for each what it is to the assistant: THEIRS, SAID, FIRST of an answer or END of a turn.

        A part (cut) of the conversations ends some tokens into the last answer: how an answer goes on is learned
        soon, which one it is takes long.
        """
        ids, roles = [], []
        for message in messages:
            text = message["content"]
            start = self.start[message["role"]]
            ids += start
            roles += [THEIRS] * len(start)
            if message["role"] == "assistant":
                second = message.get("second", len(text))
                for part in filter(None, (text[:second], text[second:])):
                    body = self.answer(part)
                    ids += body
                    roles += [FIRST] + [SAID] * (len(body) - 1)
                roles += [END] + [THEIRS] * (len(self.end) - 1)
            else:
                cutter = self.dropped if vary and self.random.random() < 0.3 else self.plain
                body = cutter.encode(text).ids
                ids += body
                roles += [THEIRS] * (len(body) + len(self.end))
            ids += self.end
        if self.random.random() < cut:
            last = len(roles) - 1 - roles[::-1].index(FIRST)
            ids, roles = ids[:last + 10], roles[:last + 10]
        return ids, roles


def conversations(seed, count, held=False):
    """A shard of the corpus, written anew for each seed."""
    command = [sys.executable, str(CORPUS), "--seed", str(seed), "--count", str(count), "--out", "/dev/stdout"]
    with subprocess.Popen(command + ["--held"] * held, stdout=subprocess.PIPE, text=True, encoding="utf-8") as run:
        for line in run.stdout:
            yield json.loads(line)["messages"]


def batches(encoded, tokens, limit, chance, keep=1.0, first=6, users=0.0, ends=1.0):
    """Batches of like lengths, each of about so many tokens: (ids, positions with a loss, their targets, weights).

    Of an answer's tokens after the first few only a part (keep) bears a loss: they are known by heart soon. Where a
    conversation closes, the end weighs so many times (ends), to stand for the ends that were cut off. A small part of
    the user's tokens (users) bears a loss too, of a small weight, so that the whole text is modelled a little.
    """
    encoded = [e for e in encoded if len(e[0]) <= limit]
    chance.shuffle(encoded)
    encoded.sort(key=lambda e: len(e[0]))
    made, at = [], 0
    while at < len(encoded):
        end, longest = at, 0
        while end < len(encoded) and max(longest, len(encoded[end][0])) * (end - at + 1) <= tokens:
            longest = max(longest, len(encoded[end][0]))
            end += 1
        made.append(encoded[at:max(end, at + 1)])
        at = max(end, at + 1)
    chance.shuffle(made)
    for batch in made:
        longest = max(len(known) for known, _ in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        weight = torch.zeros(len(batch), longest)
        for row, (known, roles) in enumerate(batch):
            ids[row, :len(known)] = torch.tensor(known)
            closing = max((i for i, role in enumerate(roles) if role == END), default=0)
            for i in range(1, len(known)):
                # the position before a token is the one that has to foretell it
                if roles[i] == FIRST:
                    since = 1
                elif roles[i] == SAID:
                    since += 1
                if roles[i] == END:
                    weight[row, i - 1] = ends if i == closing and FIRST not in roles[i:] else 1
                elif roles[i] != THEIRS:
                    weight[row, i - 1] = since <= first or keep >= 1 or chance.random() < keep
                elif users and chance.random() < users:
                    weight[row, i - 1] = 0.2
        chosen = weight > 0
        yield ids, chosen, torch.roll(ids, -1, 1)[chosen], weight[chosen]
