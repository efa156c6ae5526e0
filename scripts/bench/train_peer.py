"""The peer of train.ts and memory.ts: the same model and step in eager PyTorch, written as its users write it: one
projection for queries, keys and values, one for gate and up, scaled_dot_product_attention, F.rms_norm, F.cross_entropy
on each head's logits, one backward pass of the sum, clip_grad_norm_, fused AdamW.

    python train_peer.py CASE       CASE and the answers: see train_case.ts
"""

import json
import os
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


class Block(nn.Module):
    def __init__(self, o: dict):
        super().__init__()
        self.heads, self.kv_heads, self.eps = o["attention_heads"], o["kv_heads"], o["norm_eps"]
        width, self.size = o["width"], o["width"] // o["attention_heads"]
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.qkv = nn.Linear(width, (self.heads + 2 * self.kv_heads) * self.size, bias=False)
        self.attention_out = nn.Linear(width, width, bias=False)
        self.ffn_norm = nn.Parameter(torch.ones(width))
        self.gate_up = nn.Linear(width, 2 * o["ffn"], bias=False)
        self.down = nn.Linear(o["ffn"], width, bias=False)

    def forward(self, x, cos, sin):
        B, T, D = x.shape
        qkv = self.qkv(F.rms_norm(x, (D,), self.attention_norm, self.eps))
        q, k, v = qkv.split([self.heads * self.size, self.kv_heads * self.size, self.kv_heads * self.size], -1)
        q, k, v = (t.view(B, T, -1, self.size).transpose(1, 2) for t in (q, k, v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.heads != self.kv_heads)
        x = x + self.attention_out(mixed.transpose(1, 2).reshape(B, T, D))
        gate, up = self.gate_up(F.rms_norm(x, (D,), self.ffn_norm, self.eps)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Model(nn.Module):
    def __init__(self, o: dict):
        super().__init__()
        width, self.eps = o["width"], o["norm_eps"]
        self.embedding = nn.Embedding(o["vocab"], width)
        self.blocks = nn.ModuleList(Block(o) for _ in range(o["layers"]))
        self.norm = nn.Parameter(torch.ones(width))
        self.heads = nn.ModuleList(nn.Linear(width, o["vocab"], bias=False) for _ in range(o["heads"]["count"]))
        size = width // o["attention_heads"]
        angles = torch.arange(o["context"])[:, None] * o["rope_theta"] ** (-2 * torch.arange(size // 2) / size)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, ids, targets):
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        z = F.rms_norm(x, (x.shape[-1],), self.norm, self.eps)
        return sum(F.cross_entropy(head(z).flatten(0, 1), t.flatten()) for head, t in zip(self.heads, targets))


def peer_name(ours: str) -> str:
    """heads.1 is our first head; a matrix is the weight of a Linear or an Embedding."""
    parts = ours.split(".")
    if parts[0] == "heads":
        return f"heads.{int(parts[1]) - 1}.weight"
    return ours if parts[-1].endswith("norm") else ours + ".weight"


class Training:
    def __init__(self, options: dict):
        self.model = Model(options)
        decayed = [p for p in self.model.parameters() if p.dim() > 1]
        others = [p for p in self.model.parameters() if p.dim() == 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
            lr=1e-3, betas=(0.9, 0.95), eps=1e-8, fused=True,
        )

    def step(self, inputs, targets):
        loss = self.model(inputs, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()


def resident(key: str) -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(key))


def main(case: dict) -> None:
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    small = dict(case["model"], vocab=64, width=32, layers=1, attention_heads=2, kv_heads=2, ffn=32, context=32)
    count = small["heads"]["count"]
    Training(small).step(torch.zeros(2, 32, dtype=torch.long), torch.zeros(count, 2, 32, dtype=torch.long))

    training = Training(case["model"])
    stored = load_file(case["file"])
    inputs, targets = stored.pop("inputs"), stored.pop("targets")
    training.model.load_state_dict({peer_name(name): tensor for name, tensor in stored.items()})
    del stored
    weights = sum(p.nbytes for p in training.model.parameters())
    before = resident("VmRSS:") + 2 * weights  # the moments come with the first step
    print(weights // 4, flush=True)
    for line in sys.stdin:
        if line == "memory\n":
            peak = resident("VmHWM:")
            print(json.dumps(dict(weights=weights, optimizer=2 * weights, before=before, peak=peak)), flush=True)
            continue
        started = time.perf_counter()
        for _ in range(int(line)):
            loss = training.step(inputs, targets)
        milliseconds = (time.perf_counter() - started) * 1000 / int(line)
        print(milliseconds, loss.item(), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
