"""Expands the wording into conversations: corpus.py --seed N --count N --out FILE.jsonl [--held] [--plain FILE.txt]

Deterministic for a seed. A line is {"messages": [{role, content} ...]}, the roles ChatML's; a user's turn follows
a few shapes: one question, two in one, a chat of several turns with follow-ups or changes of topic. Where an
assistant's turn holds a second answer, "second" is the place of its first character.
"""
import argparse
import json
import pathlib
import random
import re

import grammar
import noise

# what is not asked for beside another question
ALONE = {"hello", "thanks", "bye", "how", "upset"}
# a slight weight for what is asked in the most ways
WEIGHTS = {"unknown": 10, "range": 2, "hello": 1.5, "order.status": 1.6, "return.how": 1.6, "delivery.time": 1.4,
           "pay.not": 1.4, "pay.ways": 1.4, "delivery.countries": 1.6, "damage": 1.4, "self": 1.4, "contact.human": 1.3}
SYSTEMS = ["You are a helpful assistant.", "You are the assistant of the shop Fernhill.", "You are a friendly bot.",
           "Answer briefly.", "You are a helpful assistant. Be concise.", "你是一个有用的助手。", "You are ChatBot.",
           "You help customers.", "Be polite and short.", "You are an AI model."]


QUESTIONS = pathlib.Path(__file__).resolve().parent.parent / "evaluation" / "questions.jsonl"


def reduced(text):
    """A turn's letters and digits, by which two turns are compared."""
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def short(text):
    """Whether so little is said ("refund?", "and express?", "hi") that everyone says it in these words."""
    chinese = re.search(r"[\u4e00-\u9fff]", text)
    return len(text) <= 4 if chinese else len(text.split()) <= 2 and len(text) <= 24


def barred(path=QUESTIONS):
    """The turns of the evaluation, which the corpus must not hold."""
    if not path.exists():
        return set()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    turns = {reduced(t["content"]) for line in lines for t in line["turns"] if t["role"] == "user"}
    return {t for t in turns if not short(t)}


class Writer:
    def __init__(self, seed, held=False, without=None):
        self.random = random.Random(seed)
        self.without = barred() if without is None else without
        self.languages = [grammar.Language("en", held), grammar.Language("zh", held)]
        for language in self.languages:
            language.keys = sorted(k for k, t in language.topics.items() if t.answer)
            language.weights = [WEIGHTS.get(k, 1) for k in language.keys]
            language.by_before = {}
            for before, after, patterns in language.followups:
                for key in before.split():
                    weighted = (len(patterns) ** 0.5, after.strip(), patterns)
                    language.by_before.setdefault(key, []).append(weighted)
            language.pair_weights = [len(patterns) for _, patterns in language.pairs]

    def pick(self, language, name):
        return self.random.choice(language.lists[name]).say(self.random, language.slots)

    def key(self, language):
        return self.random.choices(language.keys, language.weights)[0]

    def core(self, language, key):
        """A question about the key, without anything around it."""
        r, kinds = self.random, language.topics[key].kinds
        weights = [len(kinds[k]) ** 0.7 * w for k, w in (("?", 1.3), ("!", 1.0), ("-", 0.8), (">", 1.0))]
        kind = r.choices("?!->", weights)[0]
        text = r.choice(kinds[kind]).say(r, language.slots)
        if kind == "!":
            if r.random() < 0.6:
                text = self.join(language, text, self.pick(language, "help"))
        elif kind in "->":
            frame = self.pick(language, "nouns" if kind == "-" else "verbs")
            text = frame.replace("_", text)
        if language.name == "en" and kind != "!" and text[-1].isalnum() and r.random() < 0.5:
            text += "?"
        elif language.name == "zh" and kind != "!" and r.random() < 0.5 and text[-1] not in "？。！?":
            text += "？"
        return text

    def join(self, language, first, second):
        r = self.random
        if not first or not second:
            return first or second
        if first[-1] in ".!?:,。！？：，":
            return first + (" " if language.name == "en" else "") + second
        if language.name == "en":
            return first + r.choice((". ", ", ", ". ", "! ", " ", "... ", " - ")) + second
        return first + r.choice(("，", "。", "，", " ", "！", "；")) + second

    def question(self, language):
        """The one or two keys of a turn, and what is asked about them."""
        r = self.random
        first = self.key(language)
        if first not in ALONE and r.random() < 0.24:
            if r.random() < 0.5:  # as one sentence
                keys, patterns = r.choices(language.pairs, language.pair_weights)[0]
                return keys.split(), r.choice(patterns).say(r, language.slots)
            related = [k for k in language.keys if k.split(".")[0] == first.split(".")[0]]
            second = r.choice(related) if r.random() < 0.4 else self.key(language)
            if second not in ALONE and second != first:
                return [first, second], self.joined(language, [first, second])
        return [first], self.core(language, first)

    def joined(self, language, keys):
        """Questions about several keys, one after the other."""
        r = self.random
        text = self.core(language, keys[0])
        for key in keys[1:]:
            link = self.pick(language, "links")
            second = self.core(language, key)
            if link in ".?" and language.name == "en":
                text = text.rstrip("?.") + ("? " if r.random() < 0.7 else ". ") + second
            elif language.name == "en":
                text = text.rstrip("?." if r.random() < 0.6 else "") + " " + link + " " + second
            else:
                text = text + link + second
        return text

    def utterance(self, language, keys, text):
        """One turn of the user's: openers, stories, the question or questions, closers, all typed by some hand."""
        r = self.random
        if keys[0] not in ALONE:
            if r.random() < 0.12:
                story = " ".join(self.pick(language, "stories") + "." for _ in range(r.choice((1, 1, 2, 2, 3))))
                if language.name == "zh":
                    story = story.replace(". ", "，").replace(".", "。")
                text = self.join(language, story, text) if r.random() < 0.8 else self.join(language, text, story)
            if r.random() < 0.25:
                text = self.join(language, self.pick(language, "openers"), text)
            if r.random() < 0.22:
                text = self.join(language, text, self.pick(language, "closers"))
        return self.typed(language, text)

    def typed(self, language, text):
        return (noise.english if language.name == "en" else noise.chinese)(text, self.random) or "?"

    def answer(self, language, keys):
        """The assistant's turn: an answer to each key, none told twice."""
        said = list(dict.fromkeys(language.topics[key].answer for key in keys))
        space = " " if language.name == "en" else ""
        message = {"role": "assistant", "content": space.join(said)}
        if len(said) > 1:
            message["second"] = len(said[0])
        return message

    def conversation(self):
        while True:
            made = self.draft()
            if not any(m["role"] == "user" and reduced(m["content"]) in self.without for m in made["messages"]):
                return made

    def draft(self):
        r = self.random
        language = self.languages[r.random() < 0.30]
        messages = []
        if r.random() < 0.06:
            messages.append({"role": "system", "content": r.choice(SYSTEMS)})
        turns = r.choices((1, 2, 3, 4), (52, 30, 13, 5))[0]
        keys = None
        for turn in range(turns):
            if keys and keys[-1] in language.by_before and r.random() < 0.62:
                follows = language.by_before[keys[-1]]
                _, after, patterns = r.choices(follows, [weight for weight, _, _ in follows])[0]
                text = r.choice(patterns).say(r, language.slots)
                if r.random() < 0.2:
                    text = self.join(language, self.pick(language, "turns"), text)
                if language.name == "en" and text[-1].isalnum() and r.random() < 0.5:
                    text += "?"
                text = self.typed(language, text)
                keys = [keys[-1] if after == "=" else after]
            elif keys and r.random() < 0.35:  # a change of topic that is said as one: "and what about ..."
                keys = self.subject(language)
                noun = r.choice(language.topics[keys[0]].kinds["-"]).say(r, language.slots)
                text = self.typed(language, self.pick(language, "changes").replace("_", noun))
            else:
                keys, text = self.question(language)
                text = self.utterance(language, keys, text)
                if turn and r.random() < 0.2:
                    text = self.typed(language, self.join(language, self.pick(language, "turns"), text))
            messages.append({"role": "user", "content": text})
            messages.append(self.answer(language, keys))
            if r.random() < 0.05:  # the other language takes over
                language = self.languages[language is self.languages[0]]
        return {"messages": messages}

    def subject(self, language):
        while True:
            key = self.key(language)
            if language.topics[key].kinds["-"]:
                return [key]


def chatml(messages):
    return "".join("<|im_start|>" + m["role"] + "\n" + m["content"] + "<|im_end|>\n" for m in messages)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--count", type=int, default=1000)
    options.add_argument("--out")
    options.add_argument("--held", action="store_true", help="with the patterns that training never sees")
    options.add_argument("--plain", help="also write the text alone, a conversation a paragraph")
    chosen = options.parse_args()
    writer = Writer(chosen.seed, chosen.held)
    made = [writer.conversation() for _ in range(chosen.count)]
    if chosen.out:
        with open(chosen.out, "w", encoding="utf-8") as out:
            for conversation in made:
                out.write(json.dumps(conversation, ensure_ascii=False) + "\n")
    if chosen.plain:
        with open(chosen.plain, "w", encoding="utf-8") as out:
            out.write("\n".join(chatml(c["messages"]) for c in made))
    if not chosen.out and not chosen.plain:
        for conversation in made:
            print(chatml(conversation["messages"]))


if __name__ == "__main__":
    main()
