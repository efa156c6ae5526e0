/** Proves that a tokenizer.json of another kind is refused by name, and what is read of one that is known. */
import assert from "node:assert/strict";
import { openTokenizerText } from "../../src/text/bpe.ts";
import { BYTE_LEVEL, type Parts, tokenizerJson, VOCAB } from "./small_tokenizer.ts";

const open = (parts: Parts, end?: string | number) =>
  openTokenizerText(tokenizerJson(parts), "some/tokenizer.json", { end });

/** The file is refused with this sentence after its name. */
function refuses(parts: Parts, message: string): void {
  assert.throws(() => open(parts), {
    name: "UserError",
    message: `Cannot use the tokenizer "some/tokenizer.json": ${message}`,
  });
}

const split = (rest: Record<string, unknown>) => ({
  type: "Sequence",
  pretokenizers: [{ type: "Split", behavior: "Isolated", invert: false, ...rest }, BYTE_LEVEL],
});

const DEFAULT_END = { id: 257, content: "<|endoftext|>", special: true };

Deno.test("a tokenizer.json of another kind is refused by the kind's name", () => {
  refuses({ model: { type: "WordPiece" } }, "its model is WordPiece, and only byte-level BPE is known here");
  refuses({ model: { type: "Unigram" } }, "its model is Unigram, and only byte-level BPE is known here");
  refuses(
    { model: { byte_fallback: true }, pre_tokenizer: null },
    "it is BPE over characters with byte_fallback, as Llama 2's, and not byte-level BPE",
  );
  refuses({ pre_tokenizer: null }, "it has no pre-tokenizer, so it is not byte-level");
  refuses(
    { pre_tokenizer: { type: "Digits", individual_digits: true } },
    "its pre-tokenizer does not end in ByteLevel, so it is not byte-level",
  );
});

Deno.test("parts of a tokenizer.json that are not known are refused by name", () => {
  const known = "and only ByteLevel, Split and Digits are known here";
  refuses({ pre_tokenizer: { type: "Metaspace" } }, `its pre-tokenizer is Metaspace, ${known}`);
  refuses(
    { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Punctuation" }, BYTE_LEVEL] } },
    `its pre-tokenizer is Punctuation, ${known}`,
  );
  refuses(
    {
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [BYTE_LEVEL, { type: "Digits", individual_digits: true }, BYTE_LEVEL],
      },
    },
    "its pre-tokenizer has Digits after ByteLevel, which is not known here",
  );
  refuses(
    { pre_tokenizer: split({ pattern: { Regex: "a" }, behavior: "MergedWithNext" }) },
    "its pre-tokenizer Split has the behavior MergedWithNext, and only Isolated is known here",
  );
  refuses(
    { pre_tokenizer: split({ pattern: { Regex: "(?<=a)b" } }) },
    `its pre-tokenizer splits by the pattern (?<=a)b, where this is not known here: a look around at "(?<=a)b"`,
  );
  refuses(
    { normalizer: { type: "BertNormalizer" } },
    "its normalizer is BertNormalizer, and only NFC, NFD, NFKC, NFKD, Lowercase, Prepend and Replace by a string are known here",
  );
  refuses(
    {
      normalizer: {
        type: "Sequence",
        normalizers: [{ type: "NFC" }, { type: "Replace", pattern: { Regex: " +" }, content: " " }],
      },
    },
    "its normalizer is Replace by a regular expression, and only NFC, NFD, NFKC, NFKD, Lowercase, Prepend and Replace by a string are known here",
  );
  refuses({ decoder: { type: "WordPiece" } }, "its decoder is WordPiece, and only ByteLevel is known here");
});

Deno.test("options of the model that change ids are refused by name", () => {
  refuses({ model: { dropout: 0.1 } }, "its model has dropout 0.1, which is not known here");
  refuses(
    { model: { continuing_subword_prefix: "##" } },
    `its model has the continuing_subword_prefix "##", which is not known here`,
  );
  refuses(
    { model: { end_of_word_suffix: "</w>" } },
    `its model has the end_of_word_suffix "</w>", which is not known here`,
  );
  const { "!": _, ...without } = VOCAB;
  const unknown = { vocab: without, model: { unk_token: "<|endoftext|>" } };
  refuses(
    unknown,
    `its model has the unk_token "<|endoftext|>" and no token for byte 33, which is not known here`,
  );
  open({
    model: { unk_token: "<|endoftext|>", byte_fallback: true, dropout: 0, continuing_subword_prefix: "" },
  });
});

Deno.test("added tokens with rules are refused, unless they are special", () => {
  const rule = { id: 258, content: "<mask>", lstrip: true };
  refuses({ added: [DEFAULT_END, rule] }, `its added token "<mask>" has lstrip, which is not known here`);
  open({ added: [DEFAULT_END, { ...rule, special: true }] });
  refuses(
    { added: [DEFAULT_END, { id: 300, content: "!" }] },
    `its added token "!" has id 300, and 33 in the vocabulary`,
  );
});

Deno.test("what is malformed is named", () => {
  refuses({ merges: [["a", "b", "c"]] }, "model.merges: expected pairs of tokens");
  refuses({ merges: ["a"] }, `its merge 0 is not of two tokens: "a"`);
  refuses({ merges: ["a b"] }, `its merge 0 is of "a" and "b", and "ab" is no token`);
  refuses({ vocab: { a: -1 } }, "model.vocab: expected a number for each token");
  assert.throws(() => openTokenizerText("{", "x.json"), /Cannot read "x.json": not valid JSON/);
  assert.throws(() => openTokenizerText("[]", "x.json"), /Cannot use the tokenizer "x.json": the file: /);
});

Deno.test("the end token is the one that is named, has a usual name, or is the only special one", () => {
  const tokens = ["<s>", "</s>", "<|im_end|>"].map((content, i) => ({ id: 257 + i, content, special: true }));
  assert.equal(open({ added: tokens }).end, 258);
  assert.equal(open({ added: tokens }, "<|im_end|>").end, 259);
  assert.equal(open({ added: tokens }, 257).end, 257);
  assert.equal(open({ added: [tokens[2]!] }).end, 259);
  assert.throws(() => open({ added: tokens }, "<eos>"), /it has no added token "<eos>" to end a text with/);
  refuses(
    { added: [tokens[0]!, tokens[2]!] },
    "none of its added tokens is <|endoftext|> or <|end_of_text|> or </s>: name the one that ends a text in end_token",
  );
});

Deno.test("the vocabulary goes to the largest id; ids without a token stand for nothing", () => {
  using tokenizer = open({ added: [DEFAULT_END, { id: 300, content: "<thé>" }] });
  assert.equal(tokenizer.vocab, 301);
  assert.equal(tokenizer.byteLengths[257], 0);
  assert.equal(tokenizer.byteLengths[280], 0);
  assert.equal(tokenizer.byteLengths[300], 6);
  assert.equal(tokenizer.label(280), "<unused 280>");
  assert.deepEqual(tokenizer.decode([280, 257, 300]), new TextEncoder().encode("<thé>"));
});
