"""Steps of optimisers as transformers takes them: parameters and gradients, with the parameters after every step.

    python tools/golden/optim.py        writes test/golden/optim/adafactor.json
"""

import json
from pathlib import Path

import torch
import transformers
from transformers.optimization import Adafactor

ROOT = Path(__file__).resolve().parents[2] / "test" / "golden" / "optim"
STEPS, LEARNING_RATE = 4, 0.05


def run(shape):
    torch.manual_seed(3)
    parameter = torch.nn.Parameter(torch.randn(shape))
    optimizer = Adafactor([parameter], lr=LEARNING_RATE, scale_parameter=True, relative_step=False, warmup_init=False)
    case = {"shape": shape, "start": parameter.flatten().tolist(), "gradients": [], "expected": []}
    for step in range(STEPS):
        parameter.grad = torch.randn(shape) * 10.0 ** (-step)
        case["gradients"].append(parameter.grad.flatten().tolist())
        optimizer.step()
        case["expected"].append(parameter.flatten().tolist())
    return case


ROOT.mkdir(parents=True, exist_ok=True)
cases = [run([5, 7]), run([6]), run([1, 4])]
document = {"transformers": transformers.__version__, "learningRate": LEARNING_RATE, "cases": cases}
(ROOT / "adafactor.json").write_text(json.dumps(document) + "\n")
