"""Check questions.jsonl against the keys of shop.md and print a small table."""
import json
import re
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIELDS = ["id", "language", "keys", "turns", "facts", "not"]
LANGUAGES, UNKNOWN, FOLLOW_UPS = {"en": 250, "zh": 50}, {"en": 24, "zh": 6}, 45


def fail(message):
    print(f"questions.jsonl: {message}", file=sys.stderr)
    sys.exit(1)


def shop_keys():
    text = (HERE.parent / "shop.md").read_text(encoding="utf-8")
    heads = re.findall(r"^- ((?:`[a-z.]+`(?:, )?)+)", text, re.MULTILINE)
    return set(re.findall(r"`([a-z.]+)`", " ".join(heads)))


def check_spelling(name, text):
    """Answers are matched lower-cased, with runs of white space as one space."""
    if not isinstance(text, str) or not text.strip():
        fail(f"{name}: an empty or non-text spelling in facts or not")
    if text != re.sub(r"\s+", " ", text.lower()):
        fail(f"{name}: {text!r} can never match (capitals or double white space)")


def check_question(number, q, keys):
    name = f"q{number:03d}"
    if list(q) != FIELDS:
        fail(f"line {number}: fields {list(q)}, expected {FIELDS}")
    if q["id"] != name:
        fail(f"line {number}: id {q['id']!r}, expected {name!r}")
    if q["language"] not in LANGUAGES:
        fail(f"{name}: language {q['language']!r}")
    if not q["keys"] or len(set(q["keys"])) != len(q["keys"]) or set(q["keys"]) - keys:
        fail(f"{name}: keys {q['keys']} are none, doubled or not in shop.md")
    if len(q["turns"]) % 2 == 0:
        fail(f"{name}: the last turn is not the user's")
    for i, turn in enumerate(q["turns"]):
        content = turn.get("content")
        said = turn.get("role") == "user" and isinstance(content, str) and content.strip()
        if not (turn == {"role": "assistant", "content": None} if i % 2 else said):
            fail(f"{name}: turn {i + 1} is not a well-formed turn")
    if not q["facts"] or not all(isinstance(f, list) and f for f in q["facts"]):
        fail(f"{name}: facts must be a list of lists, none of them empty")
    for text in [t for fact in q["facts"] for t in fact] + q["not"]:
        check_spelling(name, text)


def main():
    lines = (HERE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions, keys = [json.loads(line) for line in lines], shop_keys()
    if len(questions) != sum(LANGUAGES.values()):
        fail(f"{len(questions)} lines, expected {sum(LANGUAGES.values())}")
    for number, q in enumerate(questions, 1):
        check_question(number, q, keys)
    if len({json.dumps(q["turns"]) for q in questions}) != len(questions):
        fail("a conversation occurs twice")
    total = Counter(q["language"] for q in questions)
    unknown = Counter(q["language"] for q in questions if "unknown" in q["keys"])
    follow = Counter(q["language"] for q in questions if len(q["turns"]) > 1)
    uses = Counter(key for q in questions if q["language"] == "en" for key in q["keys"])
    if total != LANGUAGES or unknown != UNKNOWN or follow.total() < FOLLOW_UPS:
        fail(f"languages {dict(total)}, unknown {dict(unknown)}, follow-ups {dict(follow)}")
    if rare := sorted(key for key in keys if uses[key] < 2):
        fail(f"fewer than two English questions for {', '.join(rare)}")
    print(f"{'':10}{'en':>5}{'zh':>5}{'all':>5}")
    for label, row in {"questions": total, "unknown": unknown, "follow-ups": follow}.items():
        print(f"{label:10}{row['en']:>5}{row['zh']:>5}{row.total():>5}")
    print(f"keys covered: {len(keys)}; most asked: {uses.most_common(6)}")


if __name__ == "__main__":
    main()
