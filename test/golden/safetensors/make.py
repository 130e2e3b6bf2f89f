"""Writes the files beside this script with the reference implementations.

The values are made up: element i of a tensor is a small function of i, the same in src/checkpoint/safetensors.test.ts.
Versions: safetensors 0.8.0, torch 2.13.0, numpy 2.4.6, peft 0.21.0, transformers 5.18.0, Python 3.11.

Usage: python make.py
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

here = Path(__file__).parent

dtypes = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float64": torch.float64,
    "int8": torch.int8,
    "uint8": torch.uint8,
    "int16": torch.int16,
    "uint16": torch.uint16,
    "int32": torch.int32,
    "uint32": torch.uint32,
    "int64": torch.int64,
    "uint64": torch.uint64,
}


def values(dtype):
    """Six values that every type holds exactly; signed ones have negatives."""
    numbers = [0, 1, 2, 3, 100, 7]
    if not dtype.startswith("uint"):
        numbers = [-n if i % 2 else n for i, n in enumerate(numbers)]
    if "float" in dtype:
        numbers = [n / 4 for n in numbers]
    return numbers


tensors = {name: torch.tensor(values(name), dtype=dtype).reshape(2, 3) for name, dtype in dtypes.items()}
tensors["bool"] = torch.tensor([False, True, True, False, True, False]).reshape(2, 3)
tensors["a.second.float32"] = torch.tensor([1.5], dtype=torch.float32)
tensors["10"] = torch.tensor([2.5], dtype=torch.float32)
tensors["scalar"] = torch.tensor(3.5, dtype=torch.float32)
tensors["empty"] = torch.zeros(0, 4, dtype=torch.float32)
tensors['quote " slash \\ é 中'] = torch.tensor([4.5], dtype=torch.float32)
save_file(tensors, here / "all-dtypes.safetensors", metadata={"format": "pt"})

save_file({}, here / "empty.safetensors")

torch.manual_seed(0)
model = LlamaForCausalLM(
    LlamaConfig(
        vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1
    )
)
model.save_pretrained(here / "sharded", max_shard_size=1500)
get_peft_model(model, LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj"], task_type="CAUSAL_LM")).save_pretrained(
    here / "adapter"
)
for unused in ["adapter/README.md", "sharded/generation_config.json", "sharded/config.json"]:
    (here / unused).unlink(missing_ok=True)
index = json.loads((here / "sharded/model.safetensors.index.json").read_text())
assert len(set(index["weight_map"].values())) > 1
