"""Tiny random checkpoints of every decoder family, with what transformers computes from them.

Writes test/golden/families/<name>/{config.json, model.safetensors, expected.safetensors} and versions.json beside them.
Run: OMP_NUM_THREADS=1 python tools/golden/families.py [name …]
"""

import json
import os
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

ROOT = Path(__file__).resolve().parents[2] / "test" / "golden" / "families"
BATCH, TIME, PROMPT, NEW = 3, 20, 9, 64

COMMON = dict(
    vocab_size=96,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
)


def factors(first, last, count):
    return [round(first + (last - first) * i / (count - 1), 3) for i in range(count)]


# model_type, then what differs from COMMON; None drops a key
CASES = {
    "llama": ("llama", dict(rope_theta=10000.0)),
    "llama_llama3": (
        "llama",
        dict(
            tie_word_embeddings=True,
            num_key_value_heads=1,
            attention_bias=True,
            mlp_bias=True,
            rope_parameters=dict(
                rope_type="llama3",
                rope_theta=500000.0,
                factor=8.0,
                low_freq_factor=1.0,
                high_freq_factor=4.0,
                original_max_position_embeddings=32,
            ),
        ),
    ),
    "llama_linear": ("llama", dict(num_hidden_layers=2, rope_theta=10000.0, rope_scaling=dict(type="linear", factor=2.0))),
    # more positions than the model has: only then does the scaling act
    "llama_dynamic": (
        "llama",
        dict(num_hidden_layers=2, max_position_embeddings=80, rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0)),
    ),
    "llama_yarn": (
        "llama",
        dict(
            num_hidden_layers=2,
            rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32),
        ),
    ),
    "qwen2": ("qwen2", dict(use_sliding_window=True, sliding_window=6, max_window_layers=1)),
    "qwen3": ("qwen3", dict(head_dim=16, tie_word_embeddings=True)),
    "mistral": ("mistral", dict(sliding_window=7, head_dim=12)),
    "gemma2": (
        "gemma2",
        dict(head_dim=16, sliding_window=6, query_pre_attn_scalar=24, attn_logit_softcapping=4.0, final_logit_softcapping=5.0),
    ),
    "gemma3_text": (
        "gemma3_text",
        dict(
            head_dim=16,
            num_hidden_layers=4,
            intermediate_size=32,
            num_attention_heads=2,
            num_key_value_heads=1,
            sliding_window=6,
            query_pre_attn_scalar=24,
            layer_types=["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
            rope_parameters=dict(
                sliding_attention=dict(rope_type="default", rope_theta=10000.0),
                full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000000.0),
            ),
        ),
    ),
    "phi3": (
        "phi3",
        dict(
            original_max_position_embeddings=8,
            sliding_window=10,
            rope_scaling=dict(type="longrope", short_factor=factors(1, 1.5, 4), long_factor=factors(1, 6, 4)),
        ),
    ),
    "phi3_short": (
        "phi3",
        dict(
            num_hidden_layers=2,
            max_position_embeddings=256,
            original_max_position_embeddings=128,
            num_attention_heads=2,
            partial_rotary_factor=0.5,
            rope_scaling=dict(type="longrope", short_factor=factors(1, 1.5, 4), long_factor=factors(1, 6, 4)),
        ),
    ),
    # generation crosses from the short factors to the long ones
    "phi3_switch": (
        "phi3",
        dict(
            num_hidden_layers=2,
            original_max_position_embeddings=32,
            rope_scaling=dict(type="longrope", short_factor=factors(1, 1.5, 4), long_factor=factors(1, 6, 4)),
        ),
    ),
    "smollm3": ("smollm3", dict(num_hidden_layers=4, no_rope_layer_interval=2)),
    "gpt2": (
        "gpt2",
        dict(
            intermediate_size=None,
            num_key_value_heads=None,
            hidden_size=None,
            num_hidden_layers=None,
            num_attention_heads=None,
            max_position_embeddings=None,
            n_embd=32,
            n_layer=2,
            n_head=4,
            n_positions=128,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
        ),
    ),
    "gpt_neox": ("gpt_neox", dict(num_key_value_heads=None, num_attention_heads=2, rotary_pct=0.25)),
    "gpt_neox_serial": (
        "gpt_neox",
        dict(num_key_value_heads=None, num_hidden_layers=2, rotary_pct=0.5, use_parallel_residual=False, tie_word_embeddings=True),
    ),
    # six heads: slopes of four, then every other one of eight; tied, every token would follow itself
    "bloom": (
        "bloom",
        dict(
            intermediate_size=None,
            num_key_value_heads=None,
            max_position_embeddings=None,
            hidden_size=24,
            num_attention_heads=6,
            seq_length=128,
            tie_word_embeddings=False,
        ),
    ),
    "mixtral": ("mixtral", dict(num_hidden_layers=2, num_local_experts=4, num_experts_per_tok=2, intermediate_size=28)),
    "qwen3_moe": (
        "qwen3_moe",
        dict(
            head_dim=8,
            num_experts=5,
            num_experts_per_tok=2,
            moe_intermediate_size=16,
            norm_topk_prob=True,
            mlp_only_layers=[1],
        ),
    ),
}


def config_of(model_type, changes):
    settings = {k: v for k, v in {**COMMON, **changes}.items() if v is not None}
    return AutoConfig.for_model(model_type, **settings)


def randomise(model, generator):
    """Matrices of standard deviation 0.2; vectors that start at a constant keep it, plus noise."""
    # Gemma's scaled embedding would drown its layers, and every token would follow itself
    lift = 1.5 if model.config.model_type.startswith("gemma") else 0.0
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                parameter.copy_(0.2 * noise)
            else:
                parameter.copy_(parameter + lift + 0.1 * noise)


def batch(time, vocab, generator):
    ids = torch.randint(3, vocab, (BATCH, time), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, : time // 4] = 0  # left
    mask[2, time - time // 3 :] = 0  # right
    ids = torch.where(mask == 1, ids, 0)
    labels = torch.where(mask == 1, ids, -100)
    labels[1, time // 4] = -100  # would be predicted from padding
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    return ids, mask, positions, labels


def greedy(model, vocab, generator):
    """A prompt with a continuation that no rounding can turn: the best token leads by a margin at every step."""
    best = None
    for _ in range(12):
        prompt = torch.randint(3, vocab, (1, PROMPT), generator=generator)
        with torch.no_grad():
            out = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=NEW,
                min_new_tokens=NEW,
                do_sample=False,
                # on leaving the short factors the reference drops its cache and goes on from one token; not so without cache
                use_cache=not hasattr(model.config, "original_max_position_embeddings"),
                eos_token_id=None,
                return_dict_in_generate=True,
                output_logits=True,
            )
        top = torch.stack(out.logits).squeeze(1).topk(2).values
        margin = (top[:, 0] - top[:, 1]).min().item()
        distinct = out.sequences[0, PROMPT:].unique().numel()
        score = min(margin, 0.02) * distinct
        if best is None or score > best[0]:
            best = (score, margin, distinct, prompt[0], out.sequences[0, PROMPT:])
    _, margin, distinct, prompt, ids = best
    assert margin > 2e-3, f"margin {margin}"
    print(f"  greedy: {distinct} distinct ids, smallest margin {margin:.4f}")
    return prompt, ids


def gradients(model):
    """By checkpoint name: a norm or bias of the first layer, a matrix of a middle one, the embedding; router and expert."""
    names = [n for n, p in model.named_parameters() if p.grad is not None]
    vectors = [n for n in names if model.get_parameter(n).dim() == 1]
    matrices = [n for n in names if model.get_parameter(n).dim() == 2 and ("attn" in n or "attention" in n)]
    embedding = next(n for n in names if "embed" in n or "wte" in n)
    chosen = [vectors[0], matrices[len(matrices) // 2], embedding] + [n for n in names if "wpe" in n]
    found = {n: model.get_parameter(n).grad for n in chosen}
    # transformers 5 stacks the experts; checkpoints keep them apart
    block, down = ("block_sparse_moe", "w2") if model.config.model_type == "mixtral" else ("mlp", "down_proj")
    for n in names:
        if n.startswith("model.layers.0.mlp.gate.weight"):
            found[f"model.layers.0.{block}.gate.weight"] = model.get_parameter(n).grad
        if n.startswith("model.layers.0.mlp.experts.down_proj"):
            found[f"model.layers.0.{block}.experts.1.{down}.weight"] = model.get_parameter(n).grad[1]
    return found


def make(name):
    model_type, changes = CASES[name]
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    torch.manual_seed(0)
    config = config_of(model_type, changes)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    randomise(model, generator)
    folder = ROOT / name
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    prompt, continuation = greedy(model, config.vocab_size, generator)
    time = 96 if name == "llama_dynamic" else TIME
    ids, mask, positions, labels = batch(time, config.vocab_size, generator)
    router = {"output_router_logits": True} if hasattr(config, "router_aux_loss_coef") else {}
    out = model(ids, attention_mask=mask, position_ids=positions, output_hidden_states=True, use_cache=False, **router)
    shifted = labels[:, 1:].reshape(-1)
    loss = torch.nn.functional.cross_entropy(out.logits[:, :-1].reshape(-1, config.vocab_size), shifted, ignore_index=-100)
    loss.backward()
    tensors = {
        "ids": ids.int(),
        "mask": mask.int(),
        "labels": labels.int(),
        "logits": out.logits,
        "loss": loss,
        "prompt": prompt.int(),
        "continuation": continuation.int(),
    }
    hidden = out.hidden_states
    for i in sorted({0, 1, len(hidden) - 1}) if time == TIME else []:
        tensors[f"hidden.{i}"] = hidden[i]
    for key, gradient in gradients(model).items():
        tensors[f"gradient.{key}"] = gradient
    if router:
        tensors["aux_loss"] = out.aux_loss
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, folder / "expected.safetensors")
    sizes = {f.name: f.stat().st_size for f in folder.iterdir()}
    assert max(sizes.values()) < 151_000, sizes
    print(f"{name}: loss {loss.item():.3f}, logits std {out.logits.std().item():.2f}, {sizes}")


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    transformers.utils.logging.set_verbosity_error()
    for name in sys.argv[1:] or CASES:
        make(name)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    (ROOT / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")
