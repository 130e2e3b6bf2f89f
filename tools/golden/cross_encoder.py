"""A tiny random cross-encoder with the scores that transformers gives pairs, for src/presets/cross-encoder.test.ts.

Usage: python tools/golden/cross_encoder.py    (from the repository's root; writes test/golden/cross-encoder/)
Made with torch 2.13 and transformers 5.18. Pairs that are too long are cut as sentence-transformers cuts them (longest first).
"""

import json
import os
import string

import torch
import transformers

torch.set_num_threads(1)
torch.manual_seed(3)
OUT = "test/golden/cross-encoder"
os.makedirs(OUT, exist_ok=True)
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *string.ascii_lowercase, "##s", "数", "据"]
with open(f"{OUT}/vocab.txt", "w") as file:
    file.write("\n".join(words) + "\n")
tokenizer = transformers.BertTokenizerFast(f"{OUT}/vocab.txt", model_max_length=16)
config = transformers.BertConfig(
    vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
    max_position_embeddings=16, num_labels=1, initializer_range=0.5, attn_implementation="eager",
)
model = transformers.BertForSequenceClassification(config).eval()
model.save_pretrained(OUT)
pairs = [
    ("a b", "c d e"),
    ("a b", "c"),
    ("a b", "f g h as i j k l m n o p q r s t u v"),
    ("a b c d e f g h i j k l m", "n"),
    ("a b c d e f g h i j k l m", "n o p q r s t u v w x y z"),
    ("数 据 a", "据 b 数"),
]
expected = []
for pair in pairs:
    encoded = tokenizer(*pair, truncation="longest_first", max_length=16, return_tensors="pt")
    with torch.no_grad():
        expected.append({"pair": pair, "ids": encoded.input_ids[0].tolist(), "score": model(**encoded).logits.item()})
with open(f"{OUT}/expected.json", "w") as file:
    json.dump(expected, file, ensure_ascii=False, indent=1)
    file.write("\n")
