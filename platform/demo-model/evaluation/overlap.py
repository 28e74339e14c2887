"""Shows that no question of the evaluation stands in the corpus: overlap.py QUESTIONS.jsonl [SEED COUNT ...]

Every user turn of the evaluation, and every user turn of the corpus of the given seeds, is reduced to its letters
and digits; one that occurs in both is listed, and the exit status is 1. Turns of one or two words ("refund?", "hi",
"and express?") and greetings can hardly be said otherwise: they are counted, not listed, unless --strict is given.
"""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "corpus"))
import corpus  # noqa: E402


def reduced(text):
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def short(text):
    return len(text.split()) <= 2 and len(text) <= 24 and not (re.search(r"[\u4e00-\u9fff]", text) and len(text) > 4)


def main(questions, *seeds):
    strict = "--strict" in seeds
    seeds = [int(s) for s in seeds if s != "--strict"] or [1000, 100000]
    asked = {}
    for line in open(questions, encoding="utf-8"):
        if line.strip():
            question = json.loads(line)
            for turn in question["turns"]:
                if turn["role"] == "user":
                    asked.setdefault(reduced(turn["content"]), []).append(question["id"])
    found = set()
    for seed, count in zip(seeds[::2], seeds[1::2]):
        writer = corpus.Writer(seed)
        for _ in range(count):
            for message in writer.conversation()["messages"]:
                if message["role"] == "user":
                    text = reduced(message["content"])
                    if text in asked:
                        found.add(text)
    long_ = [t for t in found if strict or not short(t)]
    print(f"{len(asked)} different user turns; {len(found)} occur in the corpus, {len(found) - len(long_)} of them of one"
          " or two words")
    for text in sorted(long_):
        print(f"  {', '.join(map(str, asked[text]))}: {text}")
    return 1 if long_ else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
