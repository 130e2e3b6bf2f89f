"""Tiny random encoders and encoder-decoders with what transformers computes of them, for test/conformance/encoder*.test.ts.

Usage: python tools/golden/encoders.py            (from the repository's root; writes test/golden/encoders/<name>/)
The versions it ran with are written to test/golden/encoders/versions.json.

A folder holds config.json, model.safetensors (the masked language model, or the whole T5) and expected.safetensors: ids,
mask, token_types, hidden.0 ... hidden.L; of encoders for each task `<task>.logits`, `<task>.labels`, `<task>.loss`,
`<task>.grad.<parameter>` and, where it is not in model.safetensors, `<task>.parameter.<name>`, and embedding*; of T5
labels, logits, loss, grad.<parameter> and greedy.
"""

import json
import os
import sys

import safetensors
import torch
import transformers
from safetensors.torch import save_file

torch.set_num_threads(1)
OUT = "test/golden/encoders"
VOCAB, HIDDEN, LAYERS, HEADS, WIDE, LABELS = 61, 16, 2, 4, 24, 3
COMMON = dict(vocab_size=VOCAB, pad_token_id=1, bos_token_id=0, eos_token_id=2, num_labels=LABELS)
BERT_SHAPE = dict(
    hidden_size=HIDDEN,
    num_hidden_layers=LAYERS,
    num_attention_heads=HEADS,
    intermediate_size=WIDE,
    max_position_embeddings=24,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    attn_implementation="eager",
)
FAMILIES = {
    "bert": (transformers.BertConfig, "Bert", dict(BERT_SHAPE, type_vocab_size=2, hidden_act="gelu")),
    "roberta": (transformers.RobertaConfig, "Roberta", dict(BERT_SHAPE, type_vocab_size=1, layer_norm_eps=1e-5)),
    "xlm-roberta": (transformers.XLMRobertaConfig, "XLMRoberta", dict(BERT_SHAPE, type_vocab_size=1, layer_norm_eps=1e-5, hidden_act="gelu_new")),
    "distilbert": (
        transformers.DistilBertConfig,
        "DistilBert",
        dict(dim=HIDDEN, n_layers=LAYERS, n_heads=HEADS, hidden_dim=WIDE, max_position_embeddings=24, dropout=0.0,
             attention_dropout=0.0, seq_classif_dropout=0.0, attn_implementation="eager"),
    ),
    "mpnet": (transformers.MPNetConfig, "MPNet", dict(BERT_SHAPE, layer_norm_eps=1e-5)),
}
TASKS = {"masked-lm": "ForMaskedLM", "sequence-classification": "ForSequenceClassification", "token-classification": "ForTokenClassification"}
T5_SHAPE = dict(
    vocab_size=VOCAB, d_model=HIDDEN, d_kv=4, d_ff=WIDE, num_layers=LAYERS, num_decoder_layers=LAYERS, num_heads=HEADS,
    relative_attention_num_buckets=8, relative_attention_max_distance=20, dropout_rate=0.0, pad_token_id=0, eos_token_id=1,
    decoder_start_token_id=0,
)
T5S = {
    "t5": dict(T5_SHAPE, feed_forward_proj="relu", tie_word_embeddings=True),
    "t5-v1.1": dict(T5_SHAPE, feed_forward_proj="gated-gelu", tie_word_embeddings=False, d_kv=6),
}

# of 40 seeds those whose greedy texts repeat themselves least (8 and 18 distinct ids in each row)
T5_SEEDS = {"t5": 1, "t5-v1.1": 9}


def randomize(model, seed, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            is_norm = "norm" in name.lower() and name.endswith("weight")
            parameter.copy_(1 + 0.2 * noise if is_norm else 0.3 * scale * noise)


def batch(pad):
    """Three rows: whole, padded on the right, padded on the left."""
    generator = torch.Generator().manual_seed(7)
    ids = torch.randint(3, VOCAB, (3, 11), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    mask[2, :4] = 0
    ids[mask == 0] = pad
    token_types = torch.zeros_like(ids)
    token_types[:, 6:] = 1
    return ids, mask, token_types


def gradients(model, loss, names):
    model.zero_grad()
    loss.backward()
    parameters = dict(model.named_parameters())
    return {name: parameters[name].grad.clone() for name in names}


def write(folder, config, tensors, expected):
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file, indent=1, sort_keys=True)
        file.write("\n")
    contiguous = lambda values: {name: value.detach().clone().contiguous() for name, value in values.items()}
    save_file(contiguous(tensors), f"{folder}/model.safetensors", metadata={"format": "pt"})
    save_file(contiguous(expected), f"{folder}/expected.safetensors")
    for file in os.listdir(folder):
        os.chmod(f"{folder}/{file}", 0o644)
    size = sum(os.path.getsize(f"{folder}/{name}") for name in os.listdir(folder))
    print(folder, size)
    assert size <= 150_000


def labels_of(task, ids, mask):
    generator = torch.Generator().manual_seed(11)
    if task == "sequence-classification":
        return torch.randint(0, LABELS, (3,), generator=generator)
    high = VOCAB if task == "masked-lm" else LABELS
    labels = torch.randint(0, high, ids.shape, generator=generator)
    left_out = (mask == 0) | (torch.rand(ids.shape, generator=generator) < (0.5 if task == "masked-lm" else 0.1))
    labels[left_out] = -100
    return labels


def embedding(lm, inputs):
    """Mean pooling, unit length, and the loss of in-batch negatives of each row with the rows in reverse order."""
    model = getattr(lm, lm.base_model_prefix)

    def embed(inputs):
        states = model(**inputs).last_hidden_state
        weights = inputs["attention_mask"].unsqueeze(-1).float()
        return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)

    rows = embed(inputs)
    partners = embed({name: value.flip(0) for name, value in inputs.items()})
    loss = torch.nn.functional.cross_entropy(20 * rows @ partners.T, torch.arange(len(rows)))
    lm.zero_grad()
    loss.backward()
    parameters = [
        (n, p) for n, p in model.named_parameters() if "position_embeddings" in n or n.endswith(("layer.1.output.dense.weight", "layer.1.ffn.lin2.weight"))
    ]
    prefix = lm.base_model_prefix
    return {"embedding": rows, "embedding.loss": loss.reshape(1)} | {f"embedding.grad.{prefix}.{n}": p.grad.clone() for n, p in parameters}


def encoder(name, config_class, prefix, options):
    config = config_class(**COMMON, **options)
    lm = getattr(transformers, prefix + TASKS["masked-lm"])(config).eval()
    randomize(lm, 1)
    tensors = lm.state_dict()
    tied = [key for key in tensors if key.endswith(("decoder.weight", "decoder.bias", "vocab_projector.weight", "position_ids"))]
    tensors = {key: value for key, value in tensors.items() if key not in tied}
    ids, mask, token_types = batch(config.pad_token_id)
    expected = dict(ids=ids, mask=mask)
    inputs = dict(input_ids=ids, attention_mask=mask)
    if name == "bert":
        expected["token_types"] = token_types
        inputs["token_type_ids"] = token_types
    hidden = lm(**inputs, output_hidden_states=True).hidden_states
    expected |= {f"hidden.{i}": value for i, value in enumerate(hidden)}
    base = lm.base_model_prefix
    for seed, (task, suffix) in enumerate(TASKS.items(), start=1):
        model = getattr(transformers, prefix + suffix)(config).eval()
        randomize(model, seed)
        model.load_state_dict(tensors, strict=False)
        labels = labels_of(task, ids, mask)
        output = model(**inputs, labels=labels)
        own = [n for n, _ in model.named_parameters() if not n.startswith(base + ".") or "pooler" in n]
        attention = next(n for n, _ in model.named_parameters() if n.endswith(("layer.0.attention.self.key.weight", "layer.0.attention.k_lin.weight", "layer.0.attention.attn.k.weight")))
        head = next(n for n in own if n.endswith("weight"))
        names = [attention, head]
        if name == "mpnet":
            names.append("mpnet.encoder.relative_attention_bias.weight")
        expected |= {f"{task}.logits": output.logits, f"{task}.labels": labels, f"{task}.loss": output.loss.reshape(1)}
        expected |= {f"{task}.grad.{n}": g for n, g in gradients(model, output.loss, names).items()}
        # a tied table has another name in some of the masked LMs
        expected[f"{task}.grad.{base}.embeddings.word_embeddings.weight"] = model.get_input_embeddings().weight.grad
        if task != "masked-lm":
            parameters = dict(model.named_parameters())
            expected |= {f"{task}.parameter.{n}": parameters[n] for n in own}
    expected |= embedding(lm, inputs)
    saved = config.to_dict() | {"architectures": [prefix + TASKS["masked-lm"]]}
    write(f"{OUT}/{name}", saved, tensors, expected)


def t5(name, options):
    config = transformers.T5Config(**options)
    is_tied = options["tie_word_embeddings"]
    model = transformers.T5ForConditionalGeneration(config).eval()
    model.set_attn_implementation("eager")
    randomize(model, T5_SEEDS[name], scale=1.6)
    if not is_tied:
        # transformers 5 ties always and only leaves out the scale; the checkpoints of v1.1 have a matrix of their own
        weight = 0.3 * torch.randn(VOCAB, HIDDEN, generator=torch.Generator().manual_seed(5))
        model.lm_head.weight = torch.nn.Parameter(weight)
    ids, mask, _ = batch(config.pad_token_id)
    labels = labels_of("masked-lm", ids, torch.ones_like(mask))
    labels[0, 8:] = -100
    output = model(input_ids=ids, attention_mask=mask, labels=labels, output_hidden_states=True)
    expected = dict(ids=ids, mask=mask, labels=labels, logits=output.logits, loss=output.loss.reshape(1))
    expected |= {f"hidden.{i}": value for i, value in enumerate(output.encoder_hidden_states)}
    names = [
        "shared.weight",
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        "decoder.block.1.layer.1.EncDecAttention.k.weight",
    ]
    expected |= {f"grad.{n}": g for n, g in gradients(model, output.loss, names).items()}
    model.generation_config.eos_token_id = None
    greedy = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=64, do_sample=False, num_beams=1)
    assert greedy.shape == (3, 65), greedy.shape
    expected["greedy"] = greedy[:, 1:]
    print(name, "distinct greedy ids per row:", [len(set(row.tolist())) for row in greedy])
    tensors = model.state_dict()
    tensors = {k: v for k, v in tensors.items() if not k.endswith("embed_tokens.weight") and (k != "lm_head.weight" or not is_tied)}
    write(f"{OUT}/{name}", config.to_dict() | {"architectures": ["T5ForConditionalGeneration"], "tie_word_embeddings": is_tied}, tensors, expected)


for name, (config_class, prefix, options) in FAMILIES.items():
    encoder(name, config_class, prefix, options)
for name, options in T5S.items():
    t5(name, options)
versions = dict(python=sys.version.split()[0], torch=torch.__version__, transformers=transformers.__version__, safetensors=safetensors.__version__)
with open(f"{OUT}/versions.json", "w") as file:
    json.dump(versions, file, indent=1)
    file.write("\n")
