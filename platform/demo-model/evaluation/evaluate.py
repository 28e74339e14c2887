"""Asks a model the evaluation's questions and counts the right answers by their facts.

  evaluate.py --url http://HOST:PORT [--model NAME] QUESTIONS.jsonl     an OpenAI-compatible server
  evaluate.py --folder MODEL_FOLDER QUESTIONS.jsonl                    transformers, in this process

A question has turns; an assistant's turn with content null stands for what the model itself said. The last answer is
right when of each list in "facts" some alternative occurs in it and nothing of "not" does (lower case, single spaces).
"""
import argparse
import collections
import hashlib
import json
import pathlib
import sys
import urllib.request


def server(url, model):
    """Asks one after the other; returns the answers."""
    def ask(chats):
        answers = []
        for messages in chats:
            body = {"messages": messages, "temperature": 0, "max_tokens": 160}
            if model:
                body["model"] = model
            request = urllib.request.Request(url.rstrip("/") + "/v1/chat/completions", json.dumps(body).encode(),
                                             {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=120) as response:
                answers.append(json.load(response)["choices"][0]["message"]["content"])
        return answers
    return ask


def local(folder, batch=25):
    """Asks in batches of like length, padded on the left."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def ask(chats):
        texts = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in chats]
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        answers = [None] * len(texts)
        for at in range(0, len(order), batch):
            part = order[at:at + batch]
            ids = tokenizer([texts[i] for i in part], return_tensors="pt", padding=True)
            with torch.no_grad():
                out = model.generate(input_ids=ids.input_ids, attention_mask=ids.attention_mask, do_sample=False,
                                     max_new_tokens=160)
            said = tokenizer.batch_decode(out[:, ids.input_ids.shape[1]:], skip_special_tokens=True)
            for i, text in zip(part, said):
                answers[i] = text
        return answers
    return ask


def answered(ask, questions):
    """Each question's whole chat, the model's last answer included."""
    chats = [[] for _ in questions]
    while True:
        waiting = []
        for chat, question in zip(chats, questions):
            turns = question["turns"]
            while len(chat) < len(turns) and turns[len(chat)]["content"] is not None:
                chat.append(turns[len(chat)])
            if len(chat) <= len(turns) and chat[-1]["role"] == "user":
                waiting.append(chat)
        if not waiting:
            return chats
        for chat, text in zip(waiting, ask(waiting)):
            chat.append({"role": "assistant", "content": text})


def plain(text):
    return " ".join(text.lower().replace("’", "'").split())


def missing(question, answer):
    """The facts that the answer lacks, and what it should not have said."""
    said = plain(answer)
    lacks = [f for f in question.get("facts", []) if not any(plain(a) in said for a in f)]
    return lacks + ["not: " + n for n in question.get("not", []) if plain(n) in said]


def kinds(question):
    """The groups that a question is counted in."""
    yield "all"
    yield "language " + question.get("language", "en")
    turns = sum(t["role"] == "user" for t in question["turns"])
    yield "follow-up turns" if turns > 1 else "first turns"
    keys = question.get("keys", [])
    if "unknown" in keys:
        yield "unknown"
    if len(keys) > 1:
        yield "two questions in one"
    if question.get("kind"):
        yield "kind " + question["kind"]


def keep(folder, model, answers, scores):
    """What the server's tests hold its answers against, and which weights it belongs to."""
    with open(folder / "answers.jsonl", "w", encoding="utf-8") as out:
        for answer in answers:
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")
    weights = (pathlib.Path(model) / "model.safetensors").read_bytes()
    results = {"sha256": hashlib.sha256(weights).hexdigest(), "right_of": scores}
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("questions")
    options.add_argument("--url")
    options.add_argument("--model")
    options.add_argument("--folder")
    options.add_argument("--misses", default="misses.md", help="where the wrong answers are written (.md or .json)")
    options.add_argument("--results", help="folder for answers.jsonl and results.json; with --folder alone")
    options.add_argument("--least", type=float, default=0, help="exit 1 under this part of right answers")
    chosen = options.parse_args()
    if bool(chosen.url) == bool(chosen.folder):
        options.error("one of --url and --folder is needed")
    if chosen.results and not chosen.folder:
        options.error("--results goes with --folder")
    ask = server(chosen.url, chosen.model) if chosen.url else local(chosen.folder)
    right, all_, misses, said = collections.Counter(), collections.Counter(), [], []
    lines = open(chosen.questions, encoding="utf-8").read().splitlines()
    questions = [json.loads(line) for line in lines if line.strip()]
    for question, messages in zip(questions, answered(ask, questions)):
        given = {i for i, t in enumerate(question["turns"]) if t["content"] is not None}
        said.append({"id": question["id"],
                     "answers": [m["content"] for i, m in enumerate(messages) if i not in given]})
        answer = messages.pop()["content"]
        lacks = missing(question, answer)
        for kind in kinds(question):
            all_[kind] += 1
            right[kind] += not lacks
        if lacks:
            misses.append({"id": question["id"], "keys": question.get("keys"), "messages": messages,
                           "answer": answer, "lacks": lacks})
    for kind in sorted(all_, key=lambda k: (k != "all", k)):
        print(f"{kind}: {right[kind]} of {all_[kind]} ({100 * right[kind] / all_[kind]:.1f} %)")
    out = pathlib.Path(chosen.misses)
    if out.suffix == ".json":
        out.write_text(json.dumps(misses, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    else:
        text = ["# Answers that were not right", ""]
        for miss in misses:
            text.append(f"## {miss['id']} ({', '.join(miss['keys'] or [])})")
            text += [f"- {m['role']}: {m['content']}" for m in miss["messages"]]
            text += ["- **answer**: " + miss["answer"], "- lacks: " + "; ".join(map(str, miss["lacks"])), ""]
        out.write_text("\n".join(text) + "\n", encoding="utf-8")
    if chosen.results:
        keep(pathlib.Path(chosen.results), chosen.folder, said, {k: [right[k], all_[k]] for k in all_})
    sys.exit(right["all"] < chosen.least * all_["all"])


if __name__ == "__main__":
    main()
