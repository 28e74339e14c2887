"""Reads the corpus's wording: plain files of patterns, one folder per language.

A topic file holds blocks. "@ key" opens one; then, one pattern a line:
  = answer       what the assistant says for this key (one canonical wording)
  ? question     a whole utterance
  ! statement    a situation; a plea for help may follow it
  - noun         what one can ask about, put into frames such as "what about ..."
  > verb         what one may want to do, put into frames such as "how do I ..."
  # remark
Patterns hold {a|b|} for a choice (may be nested) and <name> for a slot of slots.txt.
pairs.txt has blocks "@ key key" of whole utterances that ask for both, in that order.
followups.txt has blocks "@ key key ... > key" with the utterances that, said after an
answer to one of the first keys, mean the last one ("=" there: the same key again).
lists.txt has blocks "@ name" of whole phrases: openers, closers, stories, frames.
"""
import pathlib
import zlib

HERE = pathlib.Path(__file__).parent


def lines(path):
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if line and not line.startswith("#"):
            yield line


class Pattern:
    """A parsed pattern: a list of strings, slots ("<", name) and choices ("{", [patterns])."""

    def __init__(self, text):
        self.text = text
        self.parts, rest = self._sequence(text, 0, "")
        if rest != len(text):
            raise ValueError("unbalanced braces: " + text)

    def _sequence(self, text, at, ends):
        parts, plain = [], []

        def flush():
            if plain:
                parts.append("".join(plain))
                plain.clear()

        while at < len(text) and text[at] not in ends:
            c = text[at]
            if c == "{":
                flush()
                choices = []
                while text[at] != "}":
                    inner, at = self._sequence(text, at + 1, "|}")
                    choices.append(inner)
                    if at >= len(text):
                        raise ValueError("unbalanced braces: " + text)
                parts.append(("{", choices))
                at += 1
            elif c == "<":
                flush()
                end = text.index(">", at)
                parts.append(("<", text[at + 1:end]))
                at = end + 1
            else:
                plain.append(c)
                at += 1
        flush()
        return parts, at

    def say(self, random, slots):
        return " ".join(self._say(self.parts, random, slots).split())

    def _say(self, parts, random, slots):
        said = []
        for part in parts:
            if isinstance(part, str):
                said.append(part)
            elif part[0] == "{":
                said.append(self._say(random.choice(part[1]), random, slots))
            else:
                if part[1].startswith("n:"):  # <n:2,90> is a number in that range
                    low, high = part[1][2:].split(",")
                    said.append(str(random.randint(int(low), int(high))))
                else:
                    pattern = random.choice(slots[part[1]])
                    said.append(self._say(pattern.parts, random, slots))
        return "".join(said)


class Topic:
    def __init__(self):
        self.answer = None
        self.kinds = {"?": [], "!": [], "-": [], ">": []}


class Language:
    """All wording of one language. held=False leaves the held-out patterns away."""

    def __init__(self, name, held):
        folder = HERE / name
        self.name, self.topics, self.slots = name, {}, {}
        for line in lines(folder / "slots.txt"):
            slot, _, words = line.partition(":")
            # a choice at the top level is a list of alternatives
            self.slots[slot.strip()] = [Pattern(w.strip()) for w in split(words)]
        for path in sorted(folder.glob("*.txt")):
            if path.name not in ("slots.txt", "pairs.txt", "followups.txt", "lists.txt"):
                self._topics(path, held)
        self.pairs = blocks(folder / "pairs.txt")
        self.followups = [(*head.partition(">")[::2], patterns) for head, patterns in blocks(folder / "followups.txt")]
        self.lists = dict(blocks(folder / "lists.txt"))

    def _topics(self, path, held):
        topic = None
        for line in lines(path):
            mark, text = line[0], line[1:].strip()
            if mark == "@":
                topic = self.topics.setdefault(text, Topic())
            elif mark == "=":
                topic.answer = text
            else:
                # about one question pattern in 40 is kept for the held-out text only
                if not held and mark == "?" and zlib.crc32(text.encode()) % 40 == 0:
                    continue
                topic.kinds[mark].append(Pattern(text))


def blocks(path):
    """The blocks of a file in their order: what stands after "@", and the patterns below it."""
    found = []
    for line in lines(path):
        if line[0] == "@":
            found.append((line[1:].strip(), []))
        else:
            found[-1][1].append(Pattern(line))
    return found


def split(text):
    """Splits at the bars that stand in no braces."""
    depth, start, found = 0, 0, []
    for i, c in enumerate(text):
        depth += (c == "{") - (c == "}")
        if c == "|" and not depth:
            found.append(text[start:i])
            start = i + 1
    return found + [text[start:]]
