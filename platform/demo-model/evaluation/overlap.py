"""Shows that no question of the evaluation stands in the corpus: overlap.py QUESTIONS.jsonl [--strict] [SEED COUNT ...]

Every user turn of the evaluation, and every user turn of the corpus of the given seeds, is reduced to its letters
and digits; one that occurs in both is listed, and the exit status is 1. Turns of one or two words ("refund?", "hi",
"and express?") can hardly be said otherwise: they are counted, not listed, unless --strict is given. With --unbarred
the corpus is made as if it did not know the questions (it leaves out those that it would happen to hold).
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "corpus"))
import corpus  # noqa: E402


def main(questions, *rest):
    strict, unbarred = "--strict" in rest, "--unbarred" in rest
    seeds = [int(s) for s in rest if not s.startswith("--")] or [1000, 100000]
    asked = {}
    for line in open(questions, encoding="utf-8"):
        if line.strip():
            question = json.loads(line)
            for turn in question["turns"]:
                if turn["role"] == "user":
                    asked.setdefault(corpus.reduced(turn["content"]), []).append(question["id"])
    found = set()
    for seed, count in zip(seeds[::2], seeds[1::2]):
        writer = corpus.Writer(seed, without=set() if unbarred else None)
        for _ in range(count):
            for message in writer.conversation()["messages"]:
                if message["role"] == "user":
                    text = corpus.reduced(message["content"])
                    if text in asked:
                        found.add(text)
    listed = [t for t in found if strict or not corpus.short(t)]
    print(f"{len(asked)} different user turns; {len(found)} occur in the corpus, {len(found) - len(listed)} of them of one"
          " or two words")
    for text in sorted(listed):
        print(f"  {', '.join(map(str, asked[text]))}: {text}")
    return 1 if listed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
