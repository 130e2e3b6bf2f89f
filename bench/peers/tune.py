"""The peer of the tune benchmark: Transformers, with PEFT for LoRA, on the same checkpoint, rows and hyperparameters.

usage: tune.py '{"folder":"...","rows":"rows.json","adapter":"start.json","method":"lora|full","time":512,"steps":20,
                 "learningRate":1e-3,"threads":2}'
Prints one JSON line: { "stepMs": [...], "losses": [...], "peakBytes": n, "baselineBytes": n }.
"""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

o = json.loads(sys.argv[1])
torch.set_num_threads(o["threads"])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
baseline = peak()
model = AutoModelForCausalLM.from_pretrained(o["folder"], dtype=torch.float32, attn_implementation="sdpa")
if o["method"] == "lora":
    from peft import LoraConfig, get_peft_model

    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM"))
    start = json.load(open(o["adapter"]))
    named = dict(model.named_parameters())
    with torch.no_grad():
        for name, values in start.items():
            part, suffix = name.rsplit(".", 1)
            tensor = named["base_model.model." + part + ".default." + suffix]
            tensor.copy_(torch.tensor(values).view_as(tensor))
model.train()
params = [p for p in model.parameters() if p.requires_grad]
opt = torch.optim.AdamW(params, lr=o["learningRate"], betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
rows = json.load(open(o["rows"]))
T = o["time"]
times, losses = [], []
for i in range(o["steps"]):
    row = rows[i % len(rows)]
    ids = torch.tensor(row["ids"][: T + 1])[None]
    weights = torch.tensor(row["weights"][1 : T + 1], dtype=torch.float32)
    begin = time.perf_counter()
    logits = model(input_ids=ids[:, :T], use_cache=False).logits[0]
    each = F.cross_entropy(logits.float(), ids[0, 1:], reduction="none")
    loss = (each * weights).sum() / weights.sum()
    loss.backward()
    opt.step()
    opt.zero_grad(set_to_none=True)
    times.append((time.perf_counter() - begin) * 1000)
    losses.append(loss.item())
print(json.dumps({"stepMs": times, "losses": losses, "peakBytes": peak(), "baselineBytes": baseline}))
