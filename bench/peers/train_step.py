"""The peer of the train-step benchmark: the same Llama-shaped model, loss and AdamW in PyTorch on the CPU.

usage: train_step.py '{"layers":12,"hidden":576,"heads":9,"kvHeads":9,"ffn":1536,"vocab":8192,"time":512,"steps":5,
                       "attention":"eager|sdpa","threads":2}'
Prints one JSON line: { "stepMs": [...], "peakBytes": n, "baselineBytes": n, "loss": x }.
"""
import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

o = json.loads(sys.argv[1])
torch.set_num_threads(o.get("threads", 2))
torch.manual_seed(0)
L, D, H, FF, V, T = o["layers"], o["hidden"], o["heads"], o["ffn"], o["vocab"], o["time"]
C = D // H
G = o.get("kvHeads", H)


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D))

    def forward(self, x):
        return F.rms_norm(x, (D,), self.weight, 1e-5)


def rotate(x):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((-b, a), dim=-1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        lin = lambda i, o: nn.Linear(i, o, bias=False)
        self.n1, self.n2 = RMSNorm(), RMSNorm()
        self.q, self.k, self.v, self.o = lin(D, H * C), lin(D, G * C), lin(D, G * C), lin(H * C, D)
        self.gate, self.up, self.down = lin(D, FF), lin(D, FF), lin(FF, D)

    def forward(self, x, cos, sin, mask):
        h = self.n1(x)
        q = self.q(h).view(1, T, H, C).transpose(1, 2)
        k = self.k(h).view(1, T, G, C).transpose(1, 2)
        v = self.v(h).view(1, T, G, C).transpose(1, 2)
        q, k = q * cos + rotate(q) * sin, k * cos + rotate(k) * sin
        if o["attention"] == "sdpa":
            a = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=G != H)
        else:
            k, v = k.repeat_interleave(H // G, 1), v.repeat_interleave(H // G, 1)
            a = F.softmax(q @ k.transpose(-1, -2) * C**-0.5 + mask, dim=-1) @ v
        x = x + self.o(a.transpose(1, 2).reshape(1, T, H * C))
        h = self.n2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, D)
        self.blocks = nn.ModuleList(Block() for _ in range(L))
        self.norm = RMSNorm()
        f = 1e4 ** (-torch.arange(0, C, 2).float() / C)
        a = torch.outer(torch.arange(T).float(), f)
        a = torch.cat((a, a), dim=-1)
        self.register_buffer("cos", a.cos())
        self.register_buffer("sin", a.sin())
        mask = torch.full((T, T), float("-inf")).triu(1) if o["attention"] == "eager" else None
        self.register_buffer("mask", mask)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02)

    def forward(self, ids, labels):
        x = self.embed(ids)
        for b in self.blocks:
            x = b(x, self.cos, self.sin, self.mask)
        logits = self.norm(x) @ self.embed.weight.T
        return F.cross_entropy(logits.view(-1, V), labels.view(-1))


peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
baseline = peak()
model = Model()
opt = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.01, fused=o.get("fused", True))
ids = torch.randint(0, V, (1, T + 1))
times = []
for _ in range(o["steps"]):
    t = time.perf_counter()
    opt.zero_grad(set_to_none=True)
    loss = model(ids[:, :-1], ids[:, 1:])
    loss.backward()
    opt.step()
    times.append((time.perf_counter() - t) * 1000)
print(json.dumps({"stepMs": times, "peakBytes": peak(), "baselineBytes": baseline, "loss": loss.item()}))
