"""The peer of tasks.ts: the log-probability of each sentence by a forward pass of its own in PyTorch, as a plain loop has
it; the model is that of train_peer.py.

    python tasks_peer.py CASE       CASE and the answers: see tasks.ts
"""

import json
import os
import sys
import time

import torch
from safetensors.torch import load_file
from torch.nn import functional as F
from train_peer import Model, peer_name

END, OFFSET = 0, 64


class Scorer(Model):
    def log_probability(self, sentence: str) -> float:
        ids = torch.tensor([END] + [byte + OFFSET for byte in sentence.encode()])
        x = self.embedding(ids[None, :-1])
        cos, sin = self.cos[: len(ids) - 1], self.sin[: len(ids) - 1]
        for block in self.blocks:
            x = block(x, cos, sin)
        logits = self.heads[0](F.rms_norm(x, (x.shape[-1],), self.norm, self.eps))
        return -F.cross_entropy(logits[0], ids[1:], reduction="sum").item()


@torch.inference_mode()
def main(case: dict) -> None:
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    scorer = Scorer(case["model"])
    scorer.load_state_dict({peer_name(name): tensor for name, tensor in load_file(case["weights"]).items()})
    with open(case["sentences"]) as file:
        sentences = json.load(file)
    print("ready", flush=True)
    for _ in sys.stdin:
        started, before = time.perf_counter(), time.process_time()
        found = [scorer.log_probability(sentence) for sentence in sentences]
        milliseconds, cpu = (time.perf_counter() - started) * 1000, (time.process_time() - before) * 1000
        print(json.dumps(dict(milliseconds=milliseconds, cpu=cpu, logProbabilities=found)), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
