"""Golden values for src/checkpoint/gguf: random blocks unpacked, random values packed, and a whole file, by llama.cpp's gguf package.

usage: python tools/golden/gguf_values.py        (writes test/golden/gguf/)
made with: Python 3.11, gguf 0.19.0, numpy (see blocks.json)
"""
import base64
import json
import struct
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize

out = Path(__file__).parents[2] / "test/golden/gguf"
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(0)
b64 = lambda array: base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()

# where the float16 scales lie in a block: random bits there would often be NaN
SCALES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}
blocks = {}
for kind, places in SCALES.items():
    size = GGML_QUANT_SIZES[kind][1]
    raw = rng.integers(0, 256, (4, size), dtype=np.uint8)
    for place in places:
        raw[:, place : place + 2] = rng.standard_normal((4, 1)).astype(np.float16).view(np.uint8)
    blocks[kind.name] = {"blocks": b64(raw), "values": b64(dequantize(raw, kind).astype(np.float32))}

# several scales, a block of zeros, ties of magnitude and of rounding
values = rng.standard_normal((24, 32)).astype(np.float32) * np.float32(10.0) ** rng.integers(-4, 3, (24, 1)).astype(np.float32)
values[0] = 0
values[1] = np.arange(32) - 16
values[2, :4] = [-127, 127, 0.5, -0.5]
values[3] = np.linspace(-8, 8, 32)
packed = {kind.name: b64(quantize(values, kind)) for kind in (T.F16, T.BF16, T.Q8_0, T.Q4_0)}

(out / "blocks.json").write_text(
    json.dumps({"gguf": "0.19.0", "numpy": np.__version__, "unpack": blocks, "pack": {"values": b64(values), **packed}})
)

writer = gguf.GGUFWriter(str(out / "small.gguf"), "llama")
writer.add_block_count(2)
writer.add_rope_freq_base(10000.0)
writer.add_custom_alignment(64)
for name, value in {
    "uint8": 200, "int8": -100, "uint16": 60000, "int16": -30000, "uint32": 4000000000, "int32": -2000000000,
    "uint64": 2**63 + 1, "int64": -(2**40), "float32": 0.1, "float64": 0.1, "bool": True,
}.items():
    getattr(writer, f"add_{name}")(f"test.{name}", value)
writer.add_string("test.string", "Grüße, 世界 🌍")
writer.add_array("test.strings", ["a", "", "▁b"])
writer.add_array("test.floats", [0.5, -1.0])
writer.add_array("test.ints", [1, -2, 3])
writer.add_array("test.bools", [True, False])
writer.add_array("test.nested", [[1, 2], [3]])
matrix = rng.standard_normal((3, 64)).astype(np.float32)
writer.add_tensor("f32", matrix)
writer.add_tensor("f16", matrix.astype(np.float16))
for kind in (T.BF16, T.Q8_0, T.Q4_0):
    writer.add_tensor(kind.name.lower(), quantize(matrix, kind), raw_dtype=kind)
writer.add_tensor("norm", np.arange(5, dtype=np.float32))
writer.add_tensor("cube", rng.standard_normal((2, 3, 4)).astype(np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

# what the package reads back, for the reader's test
reader = gguf.GGUFReader(str(out / "small.gguf"))
assert struct.unpack("<I", (out / "small.gguf").read_bytes()[4:8])[0] == 3
tensors = {
    t.name: {
        "type": t.tensor_type.name,
        "shape": [int(size) for size in reversed(t.shape)],
        "values": b64(dequantize(t.data, t.tensor_type).astype(np.float32)),
    }
    for t in reader.tensors
}
(out / "small.json").write_text(json.dumps(tensors))
