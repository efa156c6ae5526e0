"""PyTorch's own Muon, in float32: what muon_test.ts compares with. Reads and writes JSON."""

import json
import sys

import torch

# PyTorch iterates in bfloat16 whatever it is given; this is its one call that rounds.
torch.Tensor.bfloat16 = torch.Tensor.float

task = json.load(sys.stdin)
weights = [torch.nn.Parameter(torch.tensor(w)) for w in task["weights"]]
optimizer = torch.optim.Muon(
    weights,
    lr=task["lr"],
    weight_decay=task["decay"],
    momentum=task["momentum"],
    adjust_lr_fn="match_rms_adamw",
)
for gradients in task["gradients"]:
    for weight, gradient in zip(weights, gradients):
        weight.grad = torch.tensor(gradient)
    optimizer.step()
means = [optimizer.state[w]["momentum_buffer"] for w in weights]
json.dump({"weights": [w.tolist() for w in weights], "means": [m.tolist() for m in means]}, sys.stdout)
