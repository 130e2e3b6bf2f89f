"""Losses of in-batch negatives and their gradients by the embeddings, as sentence-transformers and PyTorch compute them.

    python tools/golden/contrastive.py        writes test/golden/contrastive/in-batch.json
"""

import json
from pathlib import Path

import sentence_transformers
import torch
from sentence_transformers.losses import MultipleNegativesRankingLoss, MultipleNegativesSymmetricRankingLoss

ROOT = Path(__file__).resolve().parents[2] / "test" / "golden" / "contrastive"
BATCH, WIDTH = 5, 6


class Given(torch.nn.Module):
    """Embeddings that are there already, in the place of a model."""

    def forward(self, features):
        return features


def run(negatives, symmetric, scale):
    torch.manual_seed(7)
    columns = [torch.randn(BATCH, WIDTH, requires_grad=True) for _ in range(2 + negatives)]
    kind = MultipleNegativesSymmetricRankingLoss if symmetric else MultipleNegativesRankingLoss
    loss = kind(Given(), scale=scale)([{"sentence_embedding": column} for column in columns], None)
    loss.backward()
    flat = lambda tensors: torch.cat(tensors).flatten().tolist()
    return {
        "negatives": negatives,
        "symmetric": symmetric,
        "scale": scale,
        "queries": flat(columns[:1]),
        "passages": flat(columns[1:]),
        "loss": loss.item(),
        "queryGradients": flat([columns[0].grad]),
        "passageGradients": flat([column.grad for column in columns[1:]]),
    }


ROOT.mkdir(parents=True, exist_ok=True)
cases = [run(0, False, 20.0), run(0, True, 20.0), run(1, False, 10.0), run(2, True, 20.0)]
versions = {"torch": torch.__version__, "sentence-transformers": sentence_transformers.__version__}
document = {"versions": versions, "batch": BATCH, "width": WIDTH, "cases": cases}
(ROOT / "in-batch.json").write_text(json.dumps(document) + "\n")
