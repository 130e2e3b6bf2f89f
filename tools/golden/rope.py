"""Rotary frequencies of transformers at real sizes. Writes test/golden/rope.json. Run: python tools/golden/rope.py"""

import copy
import json
from pathlib import Path

import torch
import transformers
from transformers import LlamaConfig, Phi3Config
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "rope.json"
LLAMA31 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)
YARN = dict(rope_type="yarn", rope_theta=1000000.0, factor=4.0, original_max_position_embeddings=32768)
LONG = dict(
    type="longrope",
    short_factor=[1 + i / 100 for i in range(48)],
    long_factor=[1 + i * i / 40 for i in range(48)],
)

# name: config class, arguments, length of the sequence
CASES = {
    "linear": (LlamaConfig, dict(rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=4.0)), 100),
    "dynamic": (LlamaConfig, dict(max_position_embeddings=2048, rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0)), 5000),
    "yarn": (LlamaConfig, dict(max_position_embeddings=131072, rope_parameters=YARN), 100),
    "yarn_mscale": (LlamaConfig, dict(rope_parameters={**YARN, "factor": 40.0, "mscale": 1.0, "mscale_all_dim": 0.8, "beta_fast": 16, "truncate": False}), 100),
    "llama3": (LlamaConfig, dict(max_position_embeddings=131072, rope_parameters=LLAMA31), 100),
    "longrope_short": (Phi3Config, dict(hidden_size=3072, max_position_embeddings=131072, original_max_position_embeddings=4096, rope_scaling=LONG), 4096),
    "longrope_long": (Phi3Config, dict(hidden_size=3072, max_position_embeddings=131072, original_max_position_embeddings=4096, rope_scaling=LONG), 4097),
    "longrope_partial": (
        Phi3Config,
        dict(hidden_size=4096, num_attention_heads=32, partial_rotary_factor=0.75, max_position_embeddings=131072, original_max_position_embeddings=4096, rope_scaling=LONG),
        5000,
    ),
}

if __name__ == "__main__":
    cases = {}
    for name, (kind, arguments, length) in CASES.items():
        config = kind(**copy.deepcopy(arguments))
        kind_of_rope = config.rope_parameters["rope_type"]
        frequencies, factor = ROPE_INIT_FUNCTIONS[kind_of_rope](config, torch.device("cpu"), seq_len=length)
        cases[name] = {
            "config": json.loads(config.to_json_string()),
            "headDim": config.hidden_size // config.num_attention_heads,
            "length": length,
            "frequencies": frequencies.tolist(),
            "attentionFactor": factor,
        }
        keep = ("rope_parameters", "max_position_embeddings", "original_max_position_embeddings", "partial_rotary_factor")
        cases[name]["config"] = {k: v for k, v in cases[name]["config"].items() if k in keep}
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    OUT.write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")
