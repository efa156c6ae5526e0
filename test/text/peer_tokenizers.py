"""Tokenizers of the kinds in use, trained by the public library on a little text, and the ids that it gives.

    python peer_tokenizers.py < request.json > answer.json      what test/text/peers_test.ts asks for
    python peer_tokenizers.py golden > ../golden/bpe.json       the committed cases, for machines without the library

The request has training texts, documents and JSON texts of tokenizers that others trained; the answer has for each kind
the tokenizer.json and the ids of all documents, and the ids and the decoded documents of the others' tokenizers.
Special tokens in a document are text (`encode_special_tokens`), and no start token is put before it.
"""

import json
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

GPT4 = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
GPT2 = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
QWEN = GPT4.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = "|".join(
    [
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""\p{N}{1,3}""",
        r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
        r"""\s*[\r\n]+""",
        r"""\s+(?!\S)""",
        r"""\s+""",
    ]
)
NANOCHAT = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"""
DEEPSEEK = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""


def byte_level(**options):
    return pre_tokenizers.ByteLevel(**{"add_prefix_space": False, **options})


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def steps(*parts):
    return pre_tokenizers.Sequence(list(parts))


def then_bytes(*parts):
    return steps(*parts, byte_level(use_regex=False))


def trained(pre_tokenizer, training, vocab, normalizer=None, alphabet=True):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if alphabet else [],
        show_progress=False,
    )
    tokenizer.train_from_iterator(training, trainer)
    return tokenizer


def changed(tokenizer, change):
    """A tokenizer after a change of its JSON."""
    data = json.loads(tokenizer.to_str())
    change(data)
    return Tokenizer.from_str(json.dumps(data))


def llama3(data):
    """As its file is: whole words first, and some that no merge makes."""
    data["model"]["ignore_merges"] = True
    data["model"]["merges"] = [merge for i, merge in enumerate(data["model"]["merges"]) if i % 7]


def string_merges(data):
    data["model"]["merges"] = [" ".join(merge) for merge in data["model"]["merges"]]


def first_merges_again(data):
    data["model"]["merges"] += data["model"]["merges"][:20]


def kinds(training, vocab=1200):
    """Name and tokenizer of every kind."""

    def train(*arguments, **options):
        return trained(*arguments, **{"vocab": vocab, **options})

    gpt2 = train(byte_level(), training)
    yield "gpt2", gpt2
    yield "gpt2, a space before the text", train(byte_level(add_prefix_space=True), training)
    yield "gpt2, merges in strings", changed(gpt2, string_merges)
    yield "gpt2, not all bytes", train(byte_level(), ["plain words, and no others"] * 3, alphabet=False)
    gpt4 = train(then_bytes(split(GPT4)), training)
    gpt4.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
    )
    yield "gpt4, a start token", gpt4
    yield "llama3, ignore_merges", changed(gpt4, llama3)
    yield "gpt4, removed with invert", train(then_bytes(split(GPT4, "removed", True)), training)
    yield "matches only, the rest removed", train(then_bytes(split(r"\p{L}+| ?\p{N}", "removed", True)), training)
    yield "smollm, single digits", train(steps(pre_tokenizers.Digits(True), byte_level()), training)
    yield "digits together", train(steps(pre_tokenizers.Digits(False), byte_level()), training)
    yield "digits, spaces before pieces", train(steps(pre_tokenizers.Digits(True), byte_level(add_prefix_space=True)), training)
    # A space before each piece: where pieces end is seen even where no merge would cross it.
    for name, pattern in (("gpt2", GPT2), ("gpt4", GPT4), ("o200k", O200K), ("nanochat", NANOCHAT)):
        apart = steps(split(pattern), byte_level(add_prefix_space=True, use_regex=False))
        yield f"{name}, spaces before pieces", train(apart, training)
    yield "a merge twice", changed(gpt2, first_merges_again)
    yield "split by a string", train(then_bytes(pre_tokenizers.Split("e ", "isolated")), training)
    yield "o200k", train(then_bytes(split(O200K)), training)
    yield "nanochat, possessive", train(then_bytes(split(NANOCHAT)), training)
    chinese = r"[一-龥぀-ゟ゠-ヿ]+"
    yield "deepseek", train(then_bytes(split(r"\p{N}{1,3}"), split(chinese), split(DEEPSEEK)), training)
    qwen = train(then_bytes(split(QWEN)), training, normalizer=normalizers.NFC())
    qwen.add_tokens([AddedToken("<think>", special=False, normalized=False), AddedToken("\u00e9t\u00e9", normalized=True)])
    yield "qwen, nfc, added tokens", qwen
    neox = train(byte_level(), training)
    neox.add_special_tokens([AddedToken("<|pad|>"), AddedToken("<|im", normalized=True)])
    neox.add_tokens([AddedToken(" " * n, normalized=True) for n in (2, 3, 4, 8)])
    neox.add_tokens([AddedToken("|>x", normalized=False), AddedToken("im_x", normalized=True)])
    yield "neox, runs of spaces", neox
    for name in ("NFD", "NFKC", "NFKD"):
        yield name, train(byte_level(), training, normalizer=getattr(normalizers, name)())
    several = [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace("th", "T"), normalizers.Prepend("_")]
    yield "several normalizers", train(byte_level(), training, normalizer=normalizers.Sequence(several))


def ids(tokenizer, documents):
    tokenizer.encode_special_tokens = True
    return [each.ids for each in tokenizer.encode_batch(documents, add_special_tokens=False)]


GOLDEN_TEXT = """It's 12345 o'clock, isn't it? They'll say the cat sat on the mat, and the mat's flat; then the
dog's in the house.\n\n  def the_thing(that, then):\n    return {"the": that + 12 / 7}\n  Ein Stück Käse für 3,50 €. 你好世界 Привет мир
"""


def golden():
    """A few kinds with a small vocabulary."""
    small = ("gpt2", "llama3, ignore_merges", "smollm, single digits", "qwen, nfc, added tokens")
    documents = [GOLDEN_TEXT, "The cats' 2024 <think>e\u0301te\u0301</think> <|endoftext|>\t\n x\u200dy \U0001f44d\U0001f3fd 0,1"]
    cases = []
    for name, tokenizer in kinds([GOLDEN_TEXT] * 3, vocab=330):
        if name in small:
            cases.append({"name": name, "tokenizer": json.loads(tokenizer.to_str()), "ids": ids(tokenizer, documents)})
    json.dump({"documents": documents, "cases": cases}, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    print()


def main():
    if sys.argv[1:] == ["golden"]:
        return golden()
    request = json.load(sys.stdin)
    documents = request["documents"]
    answer = {"kinds": [], "others": [], "merges": {}}
    for name, tokenizer in kinds(request["training"]):
        answer["kinds"].append({"name": name, "json": tokenizer.to_str(), "ids": ids(tokenizer, documents)})
    for text in request["others"]:
        tokenizer = Tokenizer.from_str(text)
        found = ids(tokenizer, documents)
        decoded = tokenizer.decode_batch(found, skip_special_tokens=False)
        answer["others"].append({"ids": found, "decoded": decoded})
    for name, pre_tokenizer in (("gpt2", byte_level()), ("gpt4", then_bytes(split(GPT4)))):
        tokenizer = trained(pre_tokenizer, request["training"], request["vocab"])
        answer["merges"][name] = json.loads(tokenizer.to_str())["model"]["merges"]
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
