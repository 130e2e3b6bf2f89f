"""Adapters as Hugging Face PEFT writes them, over the tiny Llama of test/golden/families, with the logits PEFT computes.

    python tools/golden/adapters.py                      writes test/golden/peft
    python tools/golden/adapters.py check BASE FOLDER …  prints the logits of adapters on their bases as JSON, one list a pair

Every adapter's values are drawn anew, as if it had been trained. Llama's norms and tied heads have cases of their own.
"""

import json
import sys
from pathlib import Path

import torch
from peft import (
    LNTuningConfig,
    LoraConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptTuningConfig,
    TaskType,
    get_peft_model,
)
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

ROOT = Path(__file__).resolve().parents[2] / "test" / "golden"
BASE = ROOT / "families" / "llama"
IDS = [1, 17, 42, 5, 90, 33, 8]
TARGETS = ["q_proj", "v_proj", "down_proj"]
LORA = {"task_type": TaskType.CAUSAL_LM, "r": 3, "lora_alpha": 5, "target_modules": TARGETS}
VIRTUAL = {"task_type": TaskType.CAUSAL_LM, "num_virtual_tokens": 4}

CASES = {
    "lora": LoraConfig(**LORA),
    "rslora": LoraConfig(**LORA, use_rslora=True),
    "dora": LoraConfig(**LORA, use_dora=True),
    "lora-modules": LoraConfig(**LORA, modules_to_save=["embed_tokens", "lm_head", "input_layernorm"]),
    "ln": LNTuningConfig(task_type=TaskType.CAUSAL_LM, target_modules=["input_layernorm", "post_attention_layernorm", "norm"]),
    "prompt": PromptTuningConfig(**VIRTUAL),
    "prefix": PrefixTuningConfig(**VIRTUAL),
}


def base(path):
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()


def logits(model):
    """Logits at the real tokens: prompt tuning gives some for virtual ones too."""
    with torch.no_grad():
        return model(input_ids=torch.tensor([IDS])).logits[0, -len(IDS):]


def write():
    for name, config in CASES.items():
        torch.manual_seed(7)
        model = get_peft_model(base(BASE), config)
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data += 0.3 * torch.randn_like(parameter)
        folder = ROOT / "peft" / name
        model.eval().save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        path = folder / "adapter_config.json"
        stored = {**json.loads(path.read_text()), "base_model_name_or_path": "llama"}
        path.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")
        again = PeftModel.from_pretrained(base(BASE), folder).eval()
        expected = logits(again)
        assert name in ("prefix",) or torch.allclose(expected, logits(model), atol=1e-5)
        save_file({"ids": torch.tensor([IDS]), "logits": expected.contiguous()}, folder / "expected.safetensors")


def check(pairs):
    models = (PeftModel.from_pretrained(base(path), folder).eval() for path, folder in pairs)
    print(json.dumps([logits(model).flatten().tolist() for model in models]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(list(zip(sys.argv[2::2], sys.argv[3::2], strict=True)))
    else:
        write()
