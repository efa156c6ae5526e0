"""The PyTorch side of `deno task bench ffi`: reads "op times" from standard input, prints nanoseconds an op."""
import sys
import time

import torch

torch.set_num_threads(1)
a, b = torch.randn(8), torch.randn(8)
x, weight = torch.randn(1, 128), torch.randn(128, 128)
linear = torch.nn.functional.linear
nothing = torch.is_grad_enabled  # C++ behind Python, without arguments


def run(op, times):
    start = time.perf_counter_ns()
    if op == "nothing":
        for _ in range(times):
            nothing()
    elif op == "add":
        for _ in range(times):
            torch.add(a, b)
    elif op == "linear":
        for _ in range(times):
            linear(x, weight)
    return (time.perf_counter_ns() - start) / times


print(torch.__version__, flush=True)
for line in sys.stdin:
    op, times = line.split()
    print(run(op, int(times)), flush=True)
