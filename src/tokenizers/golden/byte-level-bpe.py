"""Writes byte-level-bpe.json: what Hugging Face's tokenizers library learns from a few strings, and the ids it gives.

Run: python byte-level-bpe.py > byte-level-bpe.json
"""
import json

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

CORPUS = [
    "The tile fits the floor, and the floor fits the room. The room isn't large; it's 12 by 34 feet.",
    "Tiles, tiles and more tiles! They're laid row by row, as we've said, and they'll stay.",
    "# Title\n\n- one item\n- another item\n\n```ts\nconst tile = tiles[10];\n  return tile;\n```\n",
    "| a | b |\n|-----|-----|\n| 1 | 22 |\n| 333 | 4444 |\n",
    "把长文本切成小块，再把小块拼起来。文本很长，小块很小。",
    "naïve café, déjà vu — naïve café, déjà vu … 😀😀 🧩🧩",
]
LINES = [
    "The tiles aren't here, they're there: it's we'll 'S 'T.",
    "row  row   row\t\ttile\r\n\r\n  tile \n",
    "1234567890 12.5 ²³ ٣٤ Ⅷ½",
    "文本很长，切成小块。mixed中文and English 12块",
    "naïve cafe\u0301 Å Å ﬁ",
    "😀👨‍👩‍👧🧩 \ufffd\ufeff\u0000\u0085\u00a0\u3000x",
    "<|endoftext|> and <|endoftext|",
    "----- ---- --- -- - ==>",
    "",
    " ",
    "tile" * 30,
]
SPECIAL = ["<|endoftext|>"]
VOCAB_SIZE = 400

CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def split(digits):
    return pre_tokenizers.Split(Regex(CL100K.replace("DIGITS", digits)), "isolated")


VARIANTS = {
    "gpt2": (None, byte_level(True)),
    "prefix": (None, pre_tokenizers.ByteLevel(add_prefix_space=True)),
    "smollm": (None, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)])),
    "llama3": (None, pre_tokenizers.Sequence([split(r"\p{N}{1,3}"), byte_level(False)])),
    "qwen2": (normalizers.NFC(), pre_tokenizers.Sequence([split(r"\p{N}"), byte_level(False)])),
}

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = byte_level(True)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=VOCAB_SIZE,
    min_frequency=2,
    special_tokens=SPECIAL,
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator(CORPUS, trainer)
file = json.loads(tokenizer.to_str())

expected = {}
for name, (normalizer, pre_tokenizer) in VARIANTS.items():
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.encode_special_tokens = True
    encodings = [tokenizer.encode(line) for line in LINES]
    tokenizer.encode_special_tokens = False
    expected[name] = {
        "pre_tokenizer": json.loads(tokenizer.to_str())["pre_tokenizer"],
        "normalizer": json.loads(tokenizer.to_str())["normalizer"],
        "ids": [encoding.ids for encoding in encodings],
        "idsWithSpecialTokens": [tokenizer.encode(line).ids for line in LINES],
        # in code points
        "offsets": [encoding.offsets for encoding in encodings],
        "text": [tokenizer.decode(encoding.ids) for encoding in encodings],
    }

print(
    json.dumps(
        {
            "writtenBy": f"golden/byte-level-bpe.py with tokenizers {tokenizers.__version__}",
            "corpus": CORPUS,
            "settings": {"vocabSize": VOCAB_SIZE, "minFrequency": 2, "specialTokens": SPECIAL},
            "file": file,
            "lines": LINES,
            "expected": expected,
        },
        separators=(",", ":"),
    )
)
