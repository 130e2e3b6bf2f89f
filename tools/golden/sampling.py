"""Writes what transformers' logits processors and warpers make of random logits to test/golden/sampling/processors.json.

Ran with transformers 5.18, torch 2.13 (CPU): OMP_NUM_THREADS=1 python tools/golden/sampling.py
"""

import json
from pathlib import Path

import torch
import transformers
from transformers.generation import logits_process as lp

VOCAB = 40
generator = torch.Generator().manual_seed(4)
logits = (torch.randn(1, VOCAB, generator=generator) * 2.5).to(torch.float32)
history = torch.tensor([[3, 7, 7, 12, 30, 3]])

cases = {
    "repetitionPenalty": ({"repetitionPenalty": 1.3}, [lp.RepetitionPenaltyLogitsProcessor(1.3)]),
    "temperature": ({"temperature": 0.7}, [lp.TemperatureLogitsWarper(0.7)]),
    "topK": ({"topK": 7}, [lp.TopKLogitsWarper(7)]),
    "topP": ({"topP": 0.8}, [lp.TopPLogitsWarper(0.8)]),
    "minP": ({"minP": 0.05}, [lp.MinPLogitsWarper(0.05)]),
    "typicalP": ({"typicalP": 0.6}, [lp.TypicalLogitsWarper(0.6)]),
    "all": (
        {"repetitionPenalty": 1.2, "temperature": 1.5, "topK": 20, "topP": 0.9, "minP": 0.02, "typicalP": 0.9},
        [
            lp.RepetitionPenaltyLogitsProcessor(1.2),
            lp.TemperatureLogitsWarper(1.5),
            lp.TopKLogitsWarper(20),
            lp.TopPLogitsWarper(0.9),
            lp.MinPLogitsWarper(0.02),
            lp.TypicalLogitsWarper(0.9),
        ],
    ),
}


def probabilities(steps):
    scores = logits.clone()
    for step in steps:
        scores = step(history, scores)
    return torch.softmax(scores, -1)[0].tolist()


golden = {
    "versions": {"transformers": transformers.__version__, "torch": torch.__version__},
    "logits": logits[0].tolist(),
    "history": history[0].tolist(),
    "cases": [
        {"name": name, "options": options, "probabilities": [round(p, 9) for p in probabilities(steps)]}
        for name, (options, steps) in cases.items()
    ],
}
path = Path(__file__).parents[2] / "test/golden/sampling/processors.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
