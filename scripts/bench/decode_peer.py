"""The peer of decode_plain.ts: the same weights in transformers' LlamaForCausalLM, decoded greedily by `generate` with its
cache of keys and values, in whichever of its ways is fastest here.

    python decode_peer.py FOLDER

Each line is a request in JSON, {prompts, new_tokens}, and is answered with {milliseconds, tokens}; the first one is
decoded in every way, and answered with the name of the fastest.
"""

import json
import os
import statistics
import sys
import time

import torch
from transformers import LlamaForCausalLM
from transformers.utils import logging

WAYS = [(attention, cache) for attention in ("sdpa", "eager") for cache in ("dynamic", "static")]
ROUNDS = 3


class Peer:
    def __init__(self, folder: str):
        self.model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.model.generation_config.eos_token_id = None  # as many tokens as are asked for
        self.model.generation_config.pad_token_id = 0
        self.way = WAYS[0]

    def use(self, way: tuple[str, str]) -> None:
        self.model.set_attn_implementation(way[0])
        self.way = way

    @torch.inference_mode()
    def decode(self, prompts: list[list[int]], new_tokens: int) -> dict:
        cache = {} if self.way[1] == "dynamic" else {"cache_implementation": "static"}
        started = time.perf_counter()
        ids = torch.tensor(prompts)
        out = self.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=new_tokens, do_sample=False, use_cache=True, **cache
        )
        tokens = out[:, ids.shape[1]:].tolist()
        return {"milliseconds": (time.perf_counter() - started) * 1000, "tokens": tokens}

    def choose(self, request: dict) -> str:
        taken = {way: [] for way in WAYS}
        for round in range(ROUNDS + 1):
            for way in WAYS:
                self.use(way)
                milliseconds = self.decode(**request)["milliseconds"]
                if round > 0:
                    taken[way].append(milliseconds)
        self.use(min(WAYS, key=lambda way: statistics.median(taken[way])))
        return " ".join(self.way)


def main(folder: str) -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    peer = Peer(folder)
    print(json.dumps(peer.choose(json.loads(sys.stdin.readline()))), flush=True)
    for line in sys.stdin:
        print(json.dumps(peer.decode(**json.loads(line))), flush=True)


main(sys.argv[1])
