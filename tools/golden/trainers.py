"""What the Python libraries make of tokenizers that Tessera trained, into test/golden/trainers/trained.json.

Also the vocabularies that Hugging Face's trainers learn from the same texts, where those are deterministic.
Ran with: tokenizers 0.23.2, sentencepiece 0.2.2. Usage, in the repository: python tools/golden/trainers.py
"""

import base64
import json
import random
import subprocess
import tempfile
from pathlib import Path

import sentencepiece
import tokenizers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

ROOT = Path(__file__).parents[2]
OUT = ROOT / "test" / "golden" / "trainers" / "trained.json"
VOCAB_SIZES = {"words": 280, "raw": 500}
STEMS = "read write walk light house stone water under over play token model train chunk graph plan quick slow".split()
ENDINGS = ["", "s", "er", "ing", "ed", "able", "ly", "est"]
OTHERS = ["the", "of", "and", "a", "to", "in", "é", "naïve", "1984", "3.14", "x_y", "(see)", "中文", "模型训练", "“so”", "😀", "it's"]
HELD = [
    "the reader of under­water stones",
    "  two  spaces  and   three   ",
    "",
    " ",
    "trail ",
    "\ttab\nline\r\n\n",
    "unseen: ß ŵ 한국어 👩‍👩‍👧 \u0000",
    "模型 training, 中文模型 (see 1985)!",
    "aaaaaaaaaaaaaaaaaaaa tokenabler",
]


def make_texts():
    rng = random.Random(7)
    words = [stem + ending for stem in STEMS for ending in ENDINGS]
    texts = []
    for _ in range(220):
        line = [rng.choice(OTHERS) if rng.random() < 0.4 else words[int(rng.random() ** 2 * len(words))] for _ in range(9)]
        texts.append((" " if rng.random() < 0.9 else "  ").join(line) + rng.choice([".", "!", "", "?"]))
    return texts


def trained_by_library(texts):
    bpe = Tokenizer(models.BPE(unk_token="<unk>"))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace()
    bpe.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=VOCAB_SIZES["words"], special_tokens=["<unk>"], min_frequency=2, show_progress=False)
    )
    wordpiece = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    wordpiece.normalizer = normalizers.BertNormalizer()
    wordpiece.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    wordpiece.train_from_iterator(
        texts,
        trainers.WordPieceTrainer(
            vocab_size=VOCAB_SIZES["words"],
            special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
            min_frequency=2,
            show_progress=False,
        ),
    )
    model = json.loads(bpe.to_str())["model"]
    return {"character-bpe": model, "wordpiece": sorted(wordpiece.get_vocab())}


def main():
    texts = make_texts()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as given:
        json.dump({"texts": texts, "vocabSizes": VOCAB_SIZES}, given)
        given.flush()
        command = [str(ROOT / "node_modules/.bin/tsx"), str(ROOT / "tools/golden/trainers.ts"), given.name]
        trained = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    lines = HELD + texts[:12]
    encoded = {}
    for name, file in trained["files"].items():
        tokenizer = Tokenizer.from_str(json.dumps(file))
        ids = [tokenizer.encode(line, add_special_tokens=False).ids for line in lines]
        encoded[name] = {"ids": ids, "decoded": [tokenizer.decode(i) for i in ids], "size": tokenizer.get_vocab_size()}
    for name, model in trained["models"].items():
        processor = sentencepiece.SentencePieceProcessor(model_proto=base64.b64decode(model))
        ids = processor.encode(lines)
        assert ids == encoded[name]["ids"], name
        assert processor.decode(ids) == encoded[name]["decoded"], name
        assert processor.vocab_size() == encoded[name]["size"], name
        encoded[name]["model"] = model
    golden = {
        "made_with": {"tokenizers": tokenizers.__version__, "sentencepiece": sentencepiece.__version__},
        "texts": texts,
        "vocabSizes": VOCAB_SIZES,
        "lines": lines,
        "library": trained_by_library(texts),
        "encoded": encoded,
    }
    OUT.write_text(json.dumps(golden, ensure_ascii=False) + "\n")
    for name, result in encoded.items():
        lossless = sum(a == b for a, b in zip(result["decoded"], lines))
        print(name, result["size"], "lossless", lossless, "of", len(lines))


main()
