"""A quick look at a checkpoint: glance.py CHECKPOINT.pt TOKENIZER.json QUESTIONS.jsonl

Answers all single-turn questions at once and shows those whose answer does not begin as their first key's does.
"""
import json
import sys

import torch

import data
from model import Model

sys.path.insert(0, str(data.CORPUS.parent))
import corpus  # noqa: E402


def main(checkpoint, tokenizer, questions, length=8):
    torch.set_num_threads(1)
    model = Model()
    model.load_state_dict(torch.load(checkpoint, weights_only=False)["model"])
    model.eval()
    encoder = data.Encoder(tokenizer, 0)
    writer = corpus.Writer(0)
    rows = []
    for line in open(questions, encoding="utf-8"):
        question = json.loads(line)
        language = writer.languages[question["language"] == "zh"]
        if len(question["turns"]) == 1 and all(k in language.topics for k in question["keys"]):
            ids, _ = encoder.encode(question["turns"], False)
            rows.append((question, ids + encoder.start["assistant"],
                         encoder.answer(language.topics[question["keys"][0]].answer)[:length]))
    rows.sort(key=lambda r: len(r[1]))
    right = 0
    for at in range(0, len(rows), 25):
        part = rows[at:at + 25]
        longest = max(len(ids) for _, ids, _ in part)
        ids = torch.zeros(len(part), longest + length, dtype=torch.long)
        for i, (_, known, _) in enumerate(part):
            ids[i, :len(known)] = torch.tensor(known)
        with torch.no_grad():
            for step in range(length):
                chosen = torch.zeros_like(ids, dtype=torch.bool)
                for i, (_, known, _) in enumerate(part):
                    chosen[i, len(known) + step - 1] = True
                best = model(ids[:, :longest + step], chosen[:, :longest + step]).argmax(-1)
                for i, (_, known, _) in enumerate(part):
                    ids[i, len(known) + step] = best[i]
        for i, (question, known, wanted) in enumerate(part):
            said = ids[i, len(known):len(known) + length].tolist()
            if said[:len(wanted)] == wanted:
                right += 1
            else:
                print(question["id"], question["keys"], question["turns"][0]["content"], "->", encoder.plain.decode(said))
    print(right, "of", len(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
