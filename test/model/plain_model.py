"""The model and its objective, written plainly in PyTorch: what src/model is compared with.

    python plain_model.py < cases.json > results.json      what test/model/mtp_test.ts asks for
    python plain_model.py golden > ../golden/mtp.json      the committed cases, for machines without PyTorch

A case holds the model's options, ids (B, T), targets (K, B, T; -1: none), weights (K) and loss ("sum" or "mean"), and
for `sequential` heads the stream (B, T + K): the ids and what follows them, whatever the targets say. A result holds
logits (K, B, T, V), the FLOPs of the matrix products of one forward pass, losses (mean NLL of each head that is awake,
else null) and the gradients of all parameters, null for those that got none. All is computed in float64, from parameters
that both sides make by the same formula: see `noise`.
"""

import json
import sys

import torch
from torch.utils.flop_counter import FlopCounterMode

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def noise(name: str, index: int) -> float:
    """A number from -1 to 1 that float32 holds exactly. test/model/tiny.ts has the same function."""
    x = 0x811C9DC5
    for byte in f"{name}/{index}".encode():
        x = (x ^ byte) * 0x01000193 % 2**32
    x = (x ^ x >> 16) * 0x85EBCA6B % 2**32
    x = (x ^ x >> 13) * 0xC2B2AE35 % 2**32
    return (x >> 8) / 2**23 - 1


def parameters(options: dict) -> dict[str, torch.Tensor]:
    width, ffn, vocab = options["width"], options["ffn"], options["vocab"]
    heads, kv_heads, count = options["attention_heads"], options["kv_heads"], options["heads"]["count"]
    kind = options["heads"]["kind"]
    shapes = {"embedding": [vocab, width], "norm": [width]}

    def block(prefix: str) -> dict[str, list[int]]:
        return {
            f"{prefix}.attention_norm": [width],
            f"{prefix}.qkv": [(heads + 2 * kv_heads) * width // heads, width],
            f"{prefix}.attention_out": [width, width],
            f"{prefix}.ffn_norm": [width],
            f"{prefix}.gate_up": [2 * ffn, width],
            f"{prefix}.down": [width, ffn],
        }

    for i in range(trunk_layers(options)):
        shapes |= block(f"blocks.{i}")
    for i in range(1, count + 1):
        head = f"heads.{i}"
        if kind in ("linear", "residual") and not (i == 1 and options["tied"]):
            shapes[head] = [vocab, width]
        if kind == "residual" and i > 1:
            shapes |= {f"{head}.blocks.{j}": [width, width] for j in range(options["heads"].get("layers", 1))}
        if kind == "transformer":
            shapes |= block(head)
        if kind == "sequential" and i > 1:
            shapes |= {f"{head}.state_norm": [width], f"{head}.token_norm": [width], f"{head}.join": [width, 2 * width]}
            shapes |= block(head)
    if kind in ("transformer", "sequential") and not options["tied"]:
        shapes["unembedding"] = [vocab, width]

    def make(name: str, shape: list[int]) -> torch.Tensor:
        values = torch.tensor([noise(name, i) for i in range(torch.Size(shape).numel())]).reshape(shape)
        values = values * 0.5 if len(shape) > 1 else 1 + values * 0.25
        return values.requires_grad_()

    return {name: make(name, shape) for name, shape in shapes.items()}


def trunk_layers(options: dict) -> int:
    heads = options["heads"]
    return options["layers"] - (heads["count"] if heads["kind"] == "transformer" else 0)


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return x / torch.sqrt(x.square().mean(-1, keepdim=True) + eps) * weight


def rotate(x: torch.Tensor, theta: float) -> torch.Tensor:
    """x (B, heads, T, W): dimensions j and j + W/2 of position t turn by t * theta^(-2j/W)."""
    length, width = x.shape[-2:]
    half = width // 2
    angles = torch.arange(length)[:, None] * theta ** (-2 * torch.arange(half) / width)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


def attend(x: torch.Tensor, p: dict, prefix: str, options: dict) -> torch.Tensor:
    batch, length, width = x.shape
    heads, kv_heads = options["attention_heads"], options["kv_heads"]
    size = width // heads
    q, k, v = (x @ p[f"{prefix}.qkv"].T).split([heads * size, kv_heads * size, kv_heads * size], -1)
    q, k, v = (t.reshape(batch, length, -1, size).transpose(1, 2) for t in (q, k, v))
    q, k = rotate(q, options["rope_theta"]), rotate(k, options["rope_theta"])
    k, v = (t.repeat_interleave(heads // kv_heads, 1) for t in (k, v))  # query head h reads h // (H / G)
    scores = q @ k.transpose(-1, -2) / size**0.5
    future = torch.ones(length, length, dtype=torch.bool).triu(1)
    mixed = scores.masked_fill(future, -torch.inf).softmax(-1) @ v
    return mixed.transpose(1, 2).reshape(batch, length, width) @ p[f"{prefix}.attention_out"].T


def silu(x: torch.Tensor) -> torch.Tensor:
    return x / (1 + (-x).exp())


def feed_forward(x: torch.Tensor, p: dict, prefix: str) -> torch.Tensor:
    gate, up = (x @ p[f"{prefix}.gate_up"].T).chunk(2, -1)
    return (silu(gate) * up) @ p[f"{prefix}.down"].T


def through_block(x: torch.Tensor, p: dict, prefix: str, options: dict) -> torch.Tensor:
    eps = options["norm_eps"]
    x = x + attend(rms_norm(x, p[f"{prefix}.attention_norm"], eps), p, prefix, options)
    return x + feed_forward(rms_norm(x, p[f"{prefix}.ffn_norm"], eps), p, prefix)


def logits_of(ids: torch.Tensor, stream: torch.Tensor | None, p: dict, options: dict) -> list[torch.Tensor]:
    eps, length = options["norm_eps"], ids.shape[1]
    heads = range(1, options["heads"]["count"] + 1)
    x = p["embedding"][ids]
    for i in range(trunk_layers(options)):
        x = through_block(x, p, f"blocks.{i}", options)
    final = lambda h: rms_norm(h, p["norm"], eps)
    shared = p.get("unembedding", p["embedding"]).T
    match options["heads"]["kind"]:
        case "linear":
            return [final(x) @ p.get(f"heads.{i}", p["embedding"]).T for i in heads]
        case "transformer":
            return [final(through_block(x, p, f"heads.{i}", options)) @ shared for i in heads]
        case "residual":
            states = [final(x)] * len(heads)
            for i in heads[1:]:
                for j in range(options["heads"].get("layers", 1)):
                    states[i - 1] = states[i - 1] + silu(states[i - 1] @ p[f"heads.{i}.blocks.{j}"].T)
            return [h @ p.get(f"heads.{i}", p["embedding"]).T for i, h in zip(heads, states)]
        case "sequential":
            logits = [final(x) @ shared]
            for i in heads[1:]:
                token = p["embedding"][stream[:, i - 1 : i - 1 + length]]
                parts = [rms_norm(x, p[f"heads.{i}.state_norm"], eps), rms_norm(token, p[f"heads.{i}.token_norm"], eps)]
                x = through_block(torch.cat(parts, -1) @ p[f"heads.{i}.join"].T, p, f"heads.{i}", options)
                logits.append(final(x) @ shared)
            return logits


def mean_nll(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    valid = targets >= 0
    chosen = logits.log_softmax(-1).gather(-1, targets.clamp_min(0)[..., None])[..., 0]
    return -chosen[valid].mean()


def result_of(case: dict) -> dict:
    options, weights = case["options"], case["weights"]
    p = parameters(options)
    stream = torch.tensor(case["stream"]) if "stream" in case else None
    with FlopCounterMode(display=False) as counter:
        logits = logits_of(torch.tensor(case["ids"]), stream, p, options)
    targets = torch.tensor(case["targets"])
    losses = [mean_nll(l, t) if w != 0 else None for l, t, w in zip(logits, targets, weights)]
    divisor = sum(weights) if case["loss"] == "mean" else 1
    sum(w / divisor * loss for w, loss in zip(weights, losses) if loss is not None).backward()
    return {
        "logits": [l.tolist() for l in logits],
        "forward_flops": counter.get_total_flops(),
        "losses": [None if loss is None else loss.item() for loss in losses],
        "gradients": {name: None if t.grad is None else t.grad.flatten().tolist() for name, t in p.items()},
    }


OPTIONS = {
    "vocab": 12,
    "width": 16,
    "layers": 2,
    "attention_heads": 4,
    "kv_heads": 2,
    "ffn": 6,
    "context": 6,
    "heads": {"kind": "linear", "count": 3},
    "rope_theta": 100,
    "norm_eps": 1e-5,
    "tied": False,
}


def golden_case(weights: list[float], loss: str, **changes) -> dict:
    options = OPTIONS | changes | {"heads": {"kind": "linear", "count": len(weights)}}
    batch, length, vocab = 2, options["context"], options["vocab"]
    token = lambda name, i: int((noise(name, i) + 1) / 2 * vocab)
    row = lambda name: [token(name, i) for i in range(length)]
    ids = [row(f"ids/{b}") for b in range(batch)]
    targets = [[row(f"targets/{k}/{b}") for b in range(batch)] for k in range(len(weights))]
    for head in targets:
        head[0][2] = head[1][5] = -1
    return {"options": options, "ids": ids, "targets": targets, "weights": weights, "loss": loss}


GOLDEN = [
    golden_case([1, 1, 1], "sum"),
    golden_case([0.5, 0, 2], "mean", layers=1),
    golden_case([1, 0.25], "sum", layers=1, tied=True, kv_heads=1),
]


def rounded(value):
    """Seven digits: as many as float32 has."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


if __name__ == "__main__":
    if sys.argv[1:] == ["golden"]:
        lines = [json.dumps(rounded({"case": case, "result": result_of(case)})) for case in GOLDEN]
        print("[\n" + ",\n".join(lines) + "\n]")
    else:
        json.dump([result_of(case) for case in json.load(sys.stdin)], sys.stdout)
