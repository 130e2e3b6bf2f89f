"""The peer of the load benchmark: a safetensors file as float32 tensors in PyTorch, values in memory of their own.

usage: load.py model.safetensors
Prints one JSON line: { "peakBytes": n, "seconds": x, "bytes": n }.
"""
import json
import sys
import time

import torch
from safetensors import safe_open

start = time.perf_counter()
tensors = {}
with safe_open(sys.argv[1], framework="pt") as file:
    for name in file.keys():
        # clone: pages of the mapped file would be given back under pressure, and cannot be trained
        tensors[name] = file.get_tensor(name).to(torch.float32, copy=True)
seconds = time.perf_counter() - start
size = sum(t.numel() * t.element_size() for t in tensors.values())
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
print(json.dumps({"peakBytes": peak, "seconds": seconds, "bytes": size}))
