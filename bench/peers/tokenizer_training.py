"""The peer of the tokenizer-training benchmark: Hugging Face's trainers, which are written in Rust.

usage: tokenizer_training.py '{"trainer":"unigram","vocabSize":32000,"texts":"texts.json","threads":1}'
Prints one JSON line: { "seconds": x }.
"""
import json
import os
import sys
import time

o = json.loads(sys.argv[1])
os.environ["RAYON_NUM_THREADS"] = str(o["threads"])
os.environ["TOKENIZERS_PARALLELISM"] = "true" if o["threads"] > 1 else "false"

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers  # noqa: E402

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
shared = {"vocab_size": o["vocabSize"], "show_progress": False}


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return tokenizer, trainers.BpeTrainer(min_frequency=2, initial_alphabet=alphabet, **shared)


def character_bpe():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer, trainers.BpeTrainer(min_frequency=2, special_tokens=["<unk>"], **shared)


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer, trainers.UnigramTrainer(special_tokens=["<unk>"], unk_token="<unk>", **shared)


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer, trainers.WordPieceTrainer(min_frequency=2, special_tokens=BERT, **shared)


kinds = {"byte-level BPE": byte_level, "character BPE": character_bpe, "Unigram": unigram, "WordPiece": wordpiece}
with open(o["texts"]) as file:
    texts = json.load(file)
tokenizer, trainer = kinds[o["trainer"]]()
start = time.perf_counter()
tokenizer.train_from_iterator(texts, trainer)
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds}))
