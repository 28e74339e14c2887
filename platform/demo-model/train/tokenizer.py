"""Trains the byte-level BPE on an expanded corpus: tokenizer.py CORPUS.jsonl OUT.json [VOCABULARY]"""
import json
import re
import sys

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def texts(path):
    for line in open(path, encoding="utf-8"):
        for message in json.loads(line)["messages"]:
            # Chinese is learned by the character: whole phrases as one token would not carry over to new wording
            yield "user\nassistant\nsystem\n" + re.sub(r"([\u3000-\u9fff\uff00-\uffef])", r"\1\n", message["content"])


def main(corpus, out, size=4096):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIALS, show_progress=False, min_frequency=2,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts(corpus), trainer)
    tokenizer.save(out)
    print("tokens:", tokenizer.get_vocab_size())


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
