"""What transformers makes of Llama folders, and public readings of Medusa's: the peers of the exchange tests.

JSON in: { ids, texts, read: { name: path }, make: { folder, config, variants: { name: { config, dtype, shard } } },
medusa: { name: { folder, states, blocks, heads } } }. JSON out: for each name, what the function below returns.
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

torch.set_num_threads(1)


def logits_of(model, ids: list[int]) -> list:
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].float().tolist()


def read(folder: str, order: dict) -> dict:
    """A folder that we wrote."""
    model, problems = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return {
        "class": type(model).__name__,
        "problems": {key: list(value) for key, value in problems.items() if value},
        "logits": logits_of(model, order["ids"]),
        "eos": [model.config.eos_token_id, tokenizer.eos_token_id, model.generation_config.eos_token_id],
        "tokens": [tokenizer(text)["input_ids"] for text in order["texts"]],
        "texts": [tokenizer.decode(tokenizer(text)["input_ids"]) for text in order["texts"]],
        "head2": head2(folder, order["ids"]) if os.path.exists(os.path.join(folder, "heads.json")) else [],
    }


def head2(folder: str, ids: list[int]) -> list:
    """Log-probabilities that head 2 gives to the tokens two places ahead, by the words of heads.json."""
    with open(os.path.join(folder, "heads.json")) as file:
        heads = json.load(file)
    if 2 not in heads["heads_in_file"]:
        return []
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tensors = load_file(os.path.join(folder, "heads.safetensors"))
    own = {name.removeprefix("heads.2."): tensor for name, tensor in tensors.items() if name.startswith("heads.2.")}
    inner, eps = model.model, model.config.rms_norm_eps
    states = {}
    inner.norm.register_forward_hook(lambda module, inputs, output: states.update(last=inputs[0], z=output))
    with torch.no_grad():
        hidden = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        norm = lambda x, weight: x * (x.square().mean(-1, keepdim=True) + eps).rsqrt() * weight

        def layer(x: torch.Tensor) -> torch.Tensor:
            layer = LlamaDecoderLayer(model.config, 0)
            layer.load_state_dict({name: t for name, t in own.items() if name.split(".")[0] in dict(layer.named_children())})
            positions = torch.arange(x.shape[1])[None]
            mask = torch.full((x.shape[1],) * 2, -torch.inf).triu(1)[None, None]
            y = layer(x, attention_mask=mask, position_ids=positions, position_embeddings=inner.rotary_emb(x, positions))
            return y if isinstance(y, torch.Tensor) else y[0]

        match heads["kind"]:
            case "linear":
                logits = states["z"] @ own["lm_head.weight"].T
            case "residual":
                x = states["z"]
                for j in range(heads["layers"]):
                    x = x + torch.nn.functional.silu(x @ own[f"blocks.{j}.weight"].T)
                logits = x @ own["lm_head.weight"].T
            case "transformer":
                logits = model.lm_head(inner.norm(layer(hidden[-2])))
            case "sequential":
                token = inner.embed_tokens(torch.tensor([ids[1:] + [0]]))
                parts = [norm(states["last"], own["state_norm.weight"]), norm(token, own["token_norm.weight"])]
                logits = model.lm_head(inner.norm(layer(torch.cat(parts, -1) @ own["join.weight"].T)))
        return logits[0, :-2].log_softmax(-1).gather(1, torch.tensor(ids[2:])[:, None])[:, 0].tolist()


def make(name: str, variant: dict, order: dict) -> dict:
    """A random checkpoint that we are to read."""
    torch.manual_seed(1)
    config = LlamaConfig(**(order["make"]["config"] | variant.get("config", {})))
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + (1 if parameter.dim() == 1 else 0))
    model = model.to(getattr(torch, variant.get("dtype", "float32")))
    folder = os.path.join(order["make"]["folder"], name)
    model.save_pretrained(folder, max_shard_size=variant.get("shard", "1GB"))
    # Read again: to() also rounds the rotary frequencies.
    again = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return {"logits": logits_of(again, order["ids"]), "files": sorted(os.listdir(folder))}


def medusa(folder: str, states: list, blocks: int, heads: int) -> dict:
    """Logits of the heads in a folder of Medusa's format."""
    states, silu = torch.tensor(states), torch.nn.functional.silu
    # FasterDecoding/Medusa and text-generation-inference: nn.Sequential(ResBlock, ..., Linear) for each head.
    tensors = load_file(os.path.join(folder, "medusa_lm_head.safetensors"))
    first = []
    for i in range(heads):
        x = states
        for j in range(blocks):
            x = x + silu(x @ tensors.pop(f"{i}.{j}.linear.weight").T + tensors.pop(f"{i}.{j}.linear.bias"))
        first.append((x @ tensors.pop(f"{i}.{blocks}.weight").T).tolist())
    # vLLM: blocks and lm_heads, without biases.
    others = load_file(os.path.join(folder, "model.safetensors"))
    second = []
    for i in range(heads):
        x = states
        for j in range(blocks):
            x = x + silu(x @ others.pop(f"blocks.{i}.layers.{j}.weight").T)
        second.append((x @ others.pop(f"lm_heads.{i}.weight").T).tolist())
    return {"medusa": first, "vllm": second, "left": list(tensors) + list(others)}


if __name__ == "__main__":
    order = json.load(sys.stdin)
    answers = {
        "read": {name: read(folder, order) for name, folder in order["read"].items()},
        "make": {name: make(name, variant, order) for name, variant in order["make"]["variants"].items()},
        "medusa": {name: medusa(**case) for name, case in order["medusa"].items()},
    }
    json.dump(answers, sys.stdout)
