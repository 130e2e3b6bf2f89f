"""Writes what bitsandbytes makes of two matrices in NF4 with double quantisation to test/golden/quantize/nf4.safetensors.

Ran with bitsandbytes at commit 95f9af3 from source (0.50.2.dev0, its plain PyTorch kernels), torch 2.13 (CPU):
OMP_NUM_THREADS=1 PYTHONPATH=<checkout of bitsandbytes> python tools/golden/nf4.py
"""

from pathlib import Path

import numpy as np
import torch
from bitsandbytes import functional as F
from safetensors.torch import save_file


def matrix(rows, columns):
    """Bell-shaped values that any language computes alike: sums of four bytes of a hash, rows of seven sizes."""
    index = np.arange(rows * columns, dtype=np.uint64)
    mixed = (index * 2654435761 + 12345) % 2**32
    mixed = (mixed ^ (mixed >> 15)) % 2**32
    total = sum((mixed >> shift) & 255 for shift in (0, 8, 16, 24)).astype(np.float64)
    values = (total - 510) / 128 * (1 + (index // columns) % 7) / 8
    return torch.from_numpy(values.astype(np.float32).reshape(rows, columns))


tensors = {"code": F.get_4bit_type("nf4", device="cpu"), "dynamic_code": F.create_dynamic_map()}
# more blocks than share a nested scale; a last block that is not full
for name, shape in {"nested": (200, 96), "tail": (5, 30)}.items():
    packed, state = F.quantize_4bit(matrix(*shape), blocksize=64, compress_statistics=True, quant_type="nf4")
    tensors |= {
        f"{name}.packed": packed.flatten(),
        f"{name}.absmax": state.absmax,
        f"{name}.nested_absmax": state.state2.absmax,
        f"{name}.nested_offset": state.offset,
        f"{name}.first": F.dequantize_4bit(packed, state).flatten()[:128].clone(),
    }
path = Path(__file__).parents[2] / "test/golden/quantize/nf4.safetensors"
save_file(tensors, path)
