"""Trains, or encodes, once with the public library, and prints what it took; bpe.ts starts it. Twin of bpe_case.ts."""

import hashlib
import json
import sys
import time

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers


def documents_in(work):
    text = open(f"{work}/text.bin", "rb").read()
    ends = json.load(open(f"{work}/ends.json"))
    return [text[start:end].decode(errors="replace") for start, end in zip([0] + ends, ends)]


def peak_memory():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024


def train(work, merges):
    # As our tokenizer.json says that text is cut.
    steps = json.load(open(f"{work}/tokenizer.json"))["pre_tokenizer"]["pretokenizers"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(steps[0]["pattern"]["Regex"]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=merges + 257,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    documents = documents_in(work)
    started = time.perf_counter()
    tokenizer.train_from_iterator(documents, trainer)
    seconds = time.perf_counter() - started
    peak = peak_memory()
    lines = [" ".join(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]
    return {"seconds": seconds, "peak": peak, "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def encode(work):
    documents = documents_in(work)
    tokenizer = Tokenizer.from_file(f"{work}/tokenizer.json")
    tokenizer.encode_special_tokens = True
    tokenizer.encode_batch(documents[:1], add_special_tokens=False)
    size = sum(len(document.encode()) for document in documents)
    started = time.perf_counter()
    encoded = tokenizer.encode_batch(documents, add_special_tokens=False)
    seconds = time.perf_counter() - started
    ids = [each.ids for each in encoded]
    return {"bytesPerSecond": size / seconds, "ids": sum(map(len, ids)), "sum": sum(map(sum, ids))}


what = json.loads(sys.argv[1])
print(json.dumps(train(what["work"], what["merges"]) if what["do"] == "train" else encode(what["work"])))
