"""plain_model.py in float64 and as PyTorch mixes precisions: float32 parameters under torch.autocast. Reads one case."""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "model"))
from plain_model import result_of

case = json.load(sys.stdin)
truth = result_of(case)
torch.set_default_dtype(torch.float32)
with torch.autocast("cpu", dtype=torch.bfloat16):
    autocast = result_of(case)
json.dump({"truth": truth, "autocast": autocast}, sys.stdout)
