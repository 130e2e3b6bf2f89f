"""Writes test/golden/tokenizers: small tokenizers of random settings with what the Python libraries make of test lines.

usage: python tools/golden/tokenizer_components.py
Made with tokenizers 0.23.2 and sentencepiece 0.2.2. The vocabularies are learned from the sentences below.
"""
import base64
import io
import json
import os
import random

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

os.environ["TOKENIZERS_PARALLELISM"] = "false"
OUT = os.path.join(os.path.dirname(__file__), "../../test/golden/tokenizers")
CORPUS = [
    "The tiles are laid row by row, and the rows are laid tile by tile.",
    "It's what we've done since 1998: 12 rows, 345 tiles, 6 walls!",
    "A mason lays tiles; the masons' walls stand. Don't they?",
    "for (const tile of tiles) { lay(tile); } // tile_by_tile",
    "把长文本切成小块，再把小块拼起来。文本很长，小块很小。",
    "naïve café, déjà vu, Ärger, Łódź, façade",
    "タイルを並べる。タイルは小さい。",
    "плитка за плиткой, ряд за рядом",
] * 4
LINES = [
    "The tiles are laid.",
    "  two  spaces   and\ttabs\n\nlines ",
    "It's DON'T we've 1998, 3rd ½ ² ٣",
    "把小块拼起来。ok? 12个",
    "naïve cafe\u0301 ÀÉÎ ﬁ ｶﾞ Ⅷ ㍿ İI ΑΣ",
    "😀 👩‍👩‍👧 🇨🇳 ❤️ x\u200by\ufeffz\u00a0w\u3000v",
    "<s>tile</s> <mask>, tile [UNK]tiles <tool><tool>",
    "for(const a_b of x[1]) { lay(a, b); }",
    "タイル並べるか плитка tile混合",
    "",
    " ",
    "▁a▁▁b _ ## </w> <0x41>",
    "q\u0000w\u0007e\u0301r",
]

pattern = lambda text: Regex(text)
CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
NORMALIZERS = {
    "none": lambda: None,
    "NFC": normalizers.NFC,
    "NFD, StripAccents": lambda: normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
    "NFKC, Lowercase": lambda: normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]),
    "NFKD": normalizers.NFKD,
    "Lowercase": normalizers.Lowercase,
    "Strip": normalizers.Strip,
    "Strip right": lambda: normalizers.Strip(left=False),
    "Replace": lambda: normalizers.Sequence([normalizers.Replace("ti", "TI"), normalizers.Replace(pattern(r"\s+"), " ")]),
    "Prepend": lambda: normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
    "Bert": normalizers.BertNormalizer,
    "Bert cased": lambda: normalizers.BertNormalizer(lowercase=False, handle_chinese_chars=False),
    "Nmt": normalizers.Nmt,
    "ByteLevel": normalizers.ByteLevel,
}
PRETOKENIZERS = {
    "none": lambda: None,
    "ByteLevel": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "ByteLevel prefix": lambda: pre_tokenizers.ByteLevel(add_prefix_space=True),
    "ByteLevel, Digits": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(True)]
    ),
    "cl100k": lambda: pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern(CL100K), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    ),
    "Bert": pre_tokenizers.BertPreTokenizer,
    "Whitespace": pre_tokenizers.Whitespace,
    "WhitespaceSplit": pre_tokenizers.WhitespaceSplit,
    "Metaspace": pre_tokenizers.Metaspace,
    "Metaspace first": lambda: pre_tokenizers.Metaspace(prepend_scheme="first"),
    "Metaspace never": lambda: pre_tokenizers.Metaspace(prepend_scheme="never"),
    "Metaspace whole": lambda: pre_tokenizers.Metaspace(split=False),
    "WhitespaceSplit, Metaspace": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first")]
    ),
    "Punctuation contiguous, Digits": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Digits(False)]
    ),
    "Punctuation merged": lambda: pre_tokenizers.Punctuation("merged_with_next"),
    "CharDelimiterSplit": lambda: pre_tokenizers.CharDelimiterSplit(" "),
    "Split string removed": lambda: pre_tokenizers.Split(" ", "removed"),
    "Split inverted": lambda: pre_tokenizers.Split(pattern(r"\w+|[^\w\s]+"), "removed", invert=True),
    "Split merged": lambda: pre_tokenizers.Split(pattern(r"[,.。]"), "merged_with_previous"),
    "Split words": lambda: pre_tokenizers.Split(pattern(r" ?[^(\s|[.,!?…。，])]+"), "isolated"),
    "UnicodeScripts": lambda: pre_tokenizers.Sequence([pre_tokenizers.UnicodeScripts(), pre_tokenizers.WhitespaceSplit()]),
    "FixedLength": lambda: pre_tokenizers.FixedLength(5),
}
DECODERS = {
    "none": lambda: None,
    "ByteLevel": decoders.ByteLevel,
    "WordPiece": decoders.WordPiece,
    "WordPiece plain": lambda: decoders.WordPiece(cleanup=False),
    "Metaspace": decoders.Metaspace,
    "Metaspace never": lambda: decoders.Metaspace(prepend_scheme="never"),
    "BPEDecoder": decoders.BPEDecoder,
    "ByteFallback": lambda: decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    ),
    "Fuse, Replace": lambda: decoders.Sequence([decoders.Fuse(), decoders.Replace("til", "TIL"), decoders.Strip("T", 1, 0)]),
    "CTC": lambda: decoders.CTC(pad_token="<s>", word_delimiter_token="▁"),
}
SPECIAL = ["[UNK]", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def learned(model, trainer, pre_tokenizer):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(CORPUS, trainer)
    return json.loads(tokenizer.to_str())["model"]


def base_models():
    words, marks = pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Metaspace()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    quiet = {"special_tokens": SPECIAL, "show_progress": False}
    marked = learned(models.BPE(unk_token="[UNK]"), trainers.BpeTrainer(vocab_size=330, limit_alphabet=90, **quiet), marks)
    size = len(marked["vocab"])
    fallback = {**marked, "vocab": {**marked["vocab"], **{b: size + i for i, b in enumerate(BYTES)}}, "byte_fallback": True}
    unigram = learned(models.Unigram(), trainers.UnigramTrainer(vocab_size=260, unk_token="[UNK]", **quiet), marks)
    return {
        "byte-level": learned(
            models.BPE(), trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, **quiet), pre_tokenizers.ByteLevel()
        ),
        "bpe": marked,
        "bpe fused": {**marked, "fuse_unk": True, "ignore_merges": True},
        "bpe bytes": {**fallback, "fuse_unk": True},
        "bpe suffix": learned(
            models.BPE(unk_token="[UNK]", end_of_word_suffix="</w>"),
            trainers.BpeTrainer(vocab_size=300, limit_alphabet=70, end_of_word_suffix="</w>", **quiet),
            words,
        ),
        "bpe prefix": learned(
            models.BPE(unk_token="[UNK]", continuing_subword_prefix="##"),
            trainers.BpeTrainer(vocab_size=300, limit_alphabet=70, continuing_subword_prefix="##", **quiet),
            words,
        ),
        "wordpiece": learned(
            models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=9), trainers.WordPieceTrainer(vocab_size=300, **quiet), words
        ),
        "unigram": unigram,
        "unigram bytes": {
            **unigram,
            "vocab": unigram["vocab"] + [[b, -15.0] for b in BYTES],
            "byte_fallback": True,
        },
        "words": learned(models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer(vocab_size=60, **quiet), words),
        "characters": learned(
            models.WordLevel(unk_token="[UNK]"),
            trainers.WordLevelTrainer(vocab_size=80, **quiet),
            pre_tokenizers.Split(pattern("."), "isolated"),
        ),
    }


def variants(names, rng):
    """Every component at least twice, with models and partners at random."""
    count = 2 * max(len(NORMALIZERS), len(PRETOKENIZERS), len(DECODERS), len(names))
    columns = []
    for options in (names, NORMALIZERS, PRETOKENIZERS, DECODERS):
        column = [name for _ in range(count // len(options) + 1) for name in options]
        rng.shuffle(column)
        columns.append(column[:count])
    return list(zip(*columns))


def added_tokens(rng):
    flag = lambda: rng.random() < 0.4
    return [
        AddedToken("<mask>", lstrip=flag(), rstrip=flag(), normalized=flag(), special=flag()),
        AddedToken("tile", single_word=True, normalized=flag()),
        AddedToken("<tool>", normalized=flag(), rstrip=flag()),
        AddedToken("  ", normalized=False) if flag() else AddedToken("é", normalized=True),
    ]


def decoded(tokenizer, ids, **options):
    """Some of the library's decoders panic where there are no tokens."""
    return tokenizer.decode(ids, **options) if ids else ""


def json_goldens(rng):
    base = base_models()
    cases = []
    for model, normalizer, pre_tokenizer, decoder in variants(list(base), rng):
        tokenizer = Tokenizer.from_str(
            json.dumps(
                {
                    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                    "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": base[model],
                }
            )
        )
        if NORMALIZERS[normalizer]() is not None:
            tokenizer.normalizer = NORMALIZERS[normalizer]()
        if PRETOKENIZERS[pre_tokenizer]() is not None:
            tokenizer.pre_tokenizer = PRETOKENIZERS[pre_tokenizer]()
        if DECODERS[decoder]() is not None:
            tokenizer.decoder = DECODERS[decoder]()
        tokenizer.add_special_tokens(SPECIAL)
        tokenizer.add_tokens(added_tokens(rng))
        encodings = [tokenizer.encode(line, add_special_tokens=False) for line in LINES]
        settings = json.loads(tokenizer.to_str())
        del settings["model"]
        cases.append(
            {
                "model": model,
                "settings": settings,
                "ids": [encoding.ids for encoding in encodings],
                "offsets": [[place for span in encoding.offsets for place in span] for encoding in encodings],
                "text": [decoded(tokenizer, encoding.ids) for encoding in encodings],
                "all": [decoded(tokenizer, encoding.ids, skip_special_tokens=False) for encoding in encodings],
            }
        )
    return {"writtenBy": f"tools/golden/tokenizer_components.py, tokenizers {tokenizers.__version__}", "models": base, "lines": LINES, "cases": cases}


def template_goldens(base):
    tokens = [("<s>", 1), ("</s>", 2)]
    kinds = {
        "template": processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> <s>:1 $B:1 </s>:1", special_tokens=tokens),
        "bert": processors.BertProcessing(tokens[1], tokens[0]),
        "roberta": processors.RobertaProcessing(tokens[1], tokens[0]),
        "sequence": processors.Sequence(
            [processors.ByteLevel(), processors.TemplateProcessing(single="$A </s>", pair="$B:1 $A:0 </s>", special_tokens=tokens)]
        ),
        "byteLevel": processors.ByteLevel(),
    }
    cases = []
    for name, processor in kinds.items():
        tokenizer = Tokenizer(models.WordLevel(base["vocab"], unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.post_processor = processor
        tokenizer.add_special_tokens(SPECIAL)
        single, pair = tokenizer.encode("the tiles"), tokenizer.encode("the tiles", "by row")
        cases.append(
            {
                "name": name, "file": json.loads(tokenizer.to_str()), "single": single.ids, "pair": pair.ids, "pairTypes": pair.type_ids,
            }
        )
    return cases


RULES = "FF21\t41\nFF22\t42\nFB01\t66 69\n65 0301\tE9\n3000\t20\n200B\t\n2460\t28 31 29\nA0\t20\n2121\t54 45 4C\n"


def sentencepiece_goldens(rng):
    path = "/tmp/tessera-rules.tsv"
    with open(path, "w") as file:
        file.write(RULES)
    cases = []
    for i in range(24):
        kind = ["unigram", "bpe", "char", "word"][i % 4]
        options = {
            "model_type": kind, "vocab_size": 120 if kind != "char" else 60, "hard_vocab_limit": False,
            "character_coverage": rng.choice([1.0, 0.98]),
            "add_dummy_prefix": rng.random() < 0.7, "remove_extra_whitespaces": rng.random() < 0.5,
            "byte_fallback": kind in ("unigram", "bpe") and rng.random() < 0.5, "split_by_whitespace": rng.random() < 0.7,
            "treat_whitespace_as_suffix": rng.random() < 0.2,
            "user_defined_symbols": rng.choice([[], ["<tool>", "tiles", "▁▁"]]), "control_symbols": rng.choice([[], ["<ctl>"]]),
        }
        if options["byte_fallback"]:
            options["vocab_size"] += 256
        rules = {"normalization_rule_tsv": path} if rng.random() < 0.7 else {"normalization_rule_name": "identity"}
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS), model_writer=model, minloglevel=2, num_threads=1, **options, **rules
        )
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        lines = LINES + ["Ａ①ﬁ e\u0301 ℡tiles<ctl>"]
        ids = [processor.encode(line) for line in lines]
        cases.append(
            {
                "name": f"{i} {kind}", "model": base64.b64encode(without_bulk(model.getvalue())).decode(), "ids": ids,
                "text": [processor.decode(line) for line in ids],
            }
        )
    return {"writtenBy": f"tools/golden/tokenizer_components.py, sentencepiece {sentencepiece.__version__}", "lines": lines, "cases": cases}


def without_bulk(model):
    """Drops what only documents the training."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model)
    proto.ClearField("self_test_data")
    return proto.SerializeToString()


def write(name, value):
    with open(os.path.join(OUT, name), "w") as file:
        json.dump(value, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")


rng = random.Random(11)
goldens = json_goldens(rng)
write("components.json", goldens)
write("templates.json", template_goldens(goldens["models"]["words"]))
write("sentencepiece.json", sentencepiece_goldens(rng))
