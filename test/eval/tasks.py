"""Tasks as lm-evaluation-harness defines them, written out with transformers: the peer of tasks_peers_test.ts. One
forward pass for each text, nothing shared, nothing batched.

JSON in: a list of { folder, sets: [{ task: [path] }] }. JSON out: for each folder and set the figures of each task, by
group where it has some.
"""

import json
import math
import os
import re
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(1)


class Scorer:
    def __init__(self, folder: str):
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.longest = self.model.config.max_position_embeddings

    def encode(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def loglikelihood(self, context: str, continuation: str) -> tuple[float, bool]:
        """Of the continuation, and whether it is what greedy decoding gives."""
        spaces = len(context) - len(context.rstrip())
        if spaces > 0:
            context, continuation = context[:-spaces], context[-spaces:] + continuation
        known = self.encode(context) if context else []
        whole = self.encode(context + continuation)
        wanted = whole[len(known):]
        ids = ([self.tokenizer.eos_token_id] + whole)[-(self.longest + 1):]
        with torch.no_grad():
            logits = self.model(torch.tensor([ids[:-1]])).logits[0, -len(wanted):].log_softmax(-1)
        found = logits.gather(1, torch.tensor(wanted)[:, None]).double().sum().item()
        return found, logits.argmax(-1).tolist() == wanted


def argmax(values: list[float]) -> int:
    return values.index(max(values))


def mean(values: list) -> float:
    return sum(values) / len(values)


def lines_of(path: str) -> list[dict]:
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def blimp(scorer: Scorer, paths: list[str]) -> dict:
    groups = {}
    for path in paths:
        right = []
        for doc in lines_of(path):
            good, bad = (scorer.loglikelihood("", doc[key])[0] for key in ("sentence_good", "sentence_bad"))
            right.append(good > bad)
        groups[os.path.basename(path).split(".")[0]] = mean(right)
    return {"accuracy": mean(list(groups.values())), "groups": groups}


def lambada(scorer: Scorer, paths: list[str]) -> dict:
    right, nats, size = [], [], 0
    for doc in lines_of(paths[0]):
        words = doc["text"].split(" ")
        target = " " + words[-1]
        loglikelihood, greedy = scorer.loglikelihood(" ".join(words[:-1]), target)
        right.append(greedy)
        nats.append(-loglikelihood)
        size += len(target.encode())
    return {
        "accuracy": mean(right),
        "perplexity": math.exp(mean(nats)),
        "bits_per_byte": sum(nats) / math.log(2) / size,
    }


def choice(query, answer) -> callable:
    """query(doc): context and choices; answer(doc): index of the right one."""

    def task(scorer: Scorer, paths: list[str]) -> dict:
        plain, normed = [], []
        for doc in lines_of(paths[0]):
            context, choices = query(doc)
            found = [scorer.loglikelihood(context, " " + choice)[0] for choice in choices]
            per_byte = [value / len(choice.encode()) for value, choice in zip(found, choices)]
            plain.append(argmax(found) == answer(doc))
            normed.append(argmax(per_byte) == answer(doc))
        return {"accuracy": mean(plain), "accuracy_norm": mean(normed)}

    return task


def wikihow(text: str) -> str:
    text = text.strip().replace(" [title]", ". ")
    return re.sub("\\[.*?\\]", "", text).replace("  ", " ")


def winogrande(scorer: Scorer, paths: list[str]) -> dict:
    right = []
    for doc in lines_of(paths[0]):
        blank = doc["sentence"].index("_")
        ending = " " + doc["sentence"][blank + 1 :].strip()
        contexts = [doc["sentence"][:blank] + doc[key] for key in ("option1", "option2")]
        found = [scorer.loglikelihood(context, ending)[0] for context in contexts]
        right.append(argmax(found) == int(doc["answer"]) - 1)
    return {"accuracy": mean(right)}


TASKS = {
    "blimp": blimp,
    "lambada": lambada,
    "winogrande": winogrande,
    "hellaswag": choice(
        lambda doc: (
            wikihow(doc["activity_label"] + ": " + doc["ctx_a"] + " " + doc["ctx_b"].capitalize()),
            [wikihow(ending) for ending in doc["endings"]],
        ),
        lambda doc: int(doc["label"]),
    ),
    "arc_easy": choice(
        lambda doc: (f"Question: {doc['question']}\nAnswer:", doc["choices"]["text"]),
        lambda doc: doc["choices"]["label"].index(doc["answerKey"]),
    ),
    "openbookqa": choice(
        lambda doc: (doc["question"]["stem"], [choice["text"] for choice in doc["question"]["choices"]]),
        lambda doc: "ABCD".index(doc["answerKey"]),
    ),
    "piqa": choice(
        lambda doc: (f"Question: {doc['goal']}\nAnswer:", [doc["sol1"], doc["sol2"]]), lambda doc: doc["label"]
    ),
    "sciq": choice(
        lambda doc: (
            f"{doc['support'].lstrip()}\nQuestion: {doc['question']}\nAnswer:",
            [doc["distractor1"], doc["distractor2"], doc["distractor3"], doc["correct_answer"]],
        ),
        lambda doc: 3,
    ),
}

def answers(order: dict) -> list[dict]:
    scorer = Scorer(order["folder"])
    return [{task: TASKS[task](scorer, paths) for task, paths in files.items()} for files in order["sets"]]


if __name__ == "__main__":
    json.dump([answers(order) for order in json.load(sys.stdin)], sys.stdout)
