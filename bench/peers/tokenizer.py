"""The peer of the tokenizer benchmark: Hugging Face's Rust library on one core.

usage: RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false tokenizer.py '{"tokenizer":"tokenizer.json","warm":"warm.json","texts":"texts.json","rounds":3}'
Prints one JSON line: { "seconds": [...], "tokens": n }; each round has a fresh tokenizer, warmed with other texts.
"""
import json
import sys
import time

from tokenizers import Tokenizer

o = json.loads(sys.argv[1])
read = lambda path: json.load(open(path, encoding="utf-8"))
warm, texts = read(o["warm"]), read(o["texts"])
seconds = []
for _ in range(o["rounds"]):
    tokenizer = Tokenizer.from_file(o["tokenizer"])
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_batch_fast(warm, add_special_tokens=False)
    start = time.perf_counter()
    encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds, "tokens": sum(len(encoding.ids) for encoding in encodings)}))
