"""Ten steps of a training step that `tessera training-step` wrote: python train_from_python.py step.onnx tokenizer.json text"""

import json
import sys

import numpy as np
import onnxruntime
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

path, tokenizer, text = sys.argv[1:]
step = json.load(open(path.replace(".onnx", ".json")))
session = onnxruntime.InferenceSession(path)
trained = load_file(path.replace(".onnx", ".safetensors"))
carried = trained | {name: np.zeros(step["inputs"][name]["shape"], np.float32) for name in step["zeros"]}
batch, time = step["inputs"]["ids"]["shape"]
tokens = np.array(Tokenizer.from_file(tokenizer).encode(open(text).read()[:100_000]).ids)
for i in range(10):
    rows = np.stack([tokens[start : start + time + 1] for start in (np.arange(batch) + i * batch) * time])
    feeds = {
        "ids": rows[:, :-1],
        "labels": rows[:, 1:],
        "weights": np.ones((batch, time), np.float32),
        "positions": np.tile(np.arange(time), (batch, 1)),
        "step": np.array(i),
        "learning_rate": np.array(1e-2),
    }
    loss, norm, *values = session.run(["loss", "gradient_norm", *step["feeds"]], feeds | carried)
    carried = dict(zip(step["feeds"].values(), values))
    print(f"step {i + 1}: loss {loss:.4f}, gradient norm {norm:.3f}")
save_file({name: carried[name] for name in trained}, path.replace(".onnx", ".trained.safetensors"))
