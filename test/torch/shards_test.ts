/** Proves the gathering of blocks against the definition of the token stream, written out over plain arrays. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Blocks,
  type BlockShape,
  type BlockStart,
  Scope,
  TokenShards,
  TorchError,
  type Vocabulary,
} from "../../src/torch/mod.ts";
import { inFolder, withFfi } from "../support.ts";

/** Bytes of text, byte b as id b + 64. */
const BYTES: Vocabulary = {
  tokenBytes: 1,
  offset: 64,
  endToken: 0,
  byteLengths: Uint32Array.from({ length: 320 }, (_, id) => id < 64 ? 0 : 1),
};

/** Ids as they are; id i stands for i % 7 bytes, the end token for none. */
const subwords = (tokenBytes: 2 | 4, vocab: number, endToken: number): Vocabulary => ({
  tokenBytes,
  offset: 0,
  endToken,
  byteLengths: Uint32Array.from({ length: vocab }, (_, id) => id === endToken ? 0 : id % 7),
});

/** Documents as the tokens that their file holds. */
type Documents = readonly (readonly number[])[];

const ARRAYS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };

/** Writes a shard: the tokens end to end, and where each document ends. */
function write(
  folder: string,
  name: string,
  documents: Documents,
  { tokenBytes }: Vocabulary = BYTES,
): { file: string; index: string } {
  const paths = { file: `${folder}/${name}.bin`, index: `${folder}/${name}.idx` };
  const ends = new BigUint64Array(documents.length);
  let tokens = 0;
  for (const [i, document] of documents.entries()) ends[i] = BigInt(tokens += document.length);
  Deno.writeFileSync(paths.file, new Uint8Array(ARRAYS[tokenBytes].from(documents.flat()).buffer));
  Deno.writeFileSync(paths.index, new Uint8Array(ends.buffer));
  return paths;
}

/** END d1 END d2 END ... dn END. */
const stream = (documents: Documents, { offset, endToken }: Vocabulary): number[] => [
  endToken,
  ...documents.flatMap((d) => [...d.map((token) => token + offset), endToken]),
];

/** The number of each stream token's document; an end token belongs to the document that it ends. */
const owners = (documents: Documents): number[] => [
  0,
  ...documents.flatMap((d, i) => Array.from({ length: d.length + 1 }, () => i + 1)),
];

interface Gathering {
  readonly vocabulary: Vocabulary;
  readonly shards: readonly Documents[];
  readonly starts: readonly BlockStart[];
  readonly shape: BlockShape;
}

/** What {@link TokenShards.gather} must give, by the definition. */
function gatherByHand({ vocabulary, shards, starts, shape: { length, heads, predictFirst } }: Gathering) {
  const streams = shards.map((documents) => stream(documents, vocabulary));
  const documents = shards.map(owners);
  const target = (shard: number, at: number, head: number): number => {
    const next = streams[shard]![at + head];
    if (next === undefined) return -1;
    const inside = documents[shard]![at] === documents[shard]![at + head];
    return inside || (head === 1 && predictFirst) ? next : -1;
  };
  const positions = Array.from({ length }, (_, t) => t);
  const targets = Array.from(
    { length: heads },
    (_, i) => starts.flatMap(({ shard, token }) => positions.map((t) => target(shard, token + t, i + 1))),
  );
  return {
    inputs: starts.flatMap(({ shard, token }) => streams[shard]!.slice(token, token + length)),
    targets: targets.flat(),
    counts: targets.map((row) => row.filter((id) => id >= 0).length),
    bytes: targets[0]!.reduce((sum, id) => id < 0 ? sum : sum + vocabulary.byteLengths[id]!, 0),
  };
}

const kinds: readonly { vocabulary: Vocabulary; tokens: readonly number[] }[] = [
  { vocabulary: BYTES, tokens: [0, 64, 97, 255] },
  { vocabulary: subwords(2, 65536, 65535), tokens: [0, 1, 258, 32768, 65534] },
  { vocabulary: subwords(2, 300, 7), tokens: [0, 6, 7, 299] }, // 7: text that has the end token's id
  { vocabulary: subwords(4, 100_003, 0), tokens: [1, 65536, 100_002] },
];

const gatherings: fc.Arbitrary<Gathering> = fc.constantFrom(...kinds).chain(({ vocabulary, tokens }) => {
  const document = fc.array(fc.constantFrom(...tokens), { minLength: 1, maxLength: 12 });
  const documents = fc.array(document, { minLength: 1, maxLength: 8 });
  return fc.record({
    shards: fc.array(documents, { minLength: 1, maxLength: 3 }),
    picks: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 5 }),
    length: fc.integer({ min: 1, max: 20 }),
    heads: fc.integer({ min: 1, max: 5 }),
    predictFirst: fc.boolean(),
  }).map(({ shards, picks, length, heads, predictFirst }) => {
    const lengths = shards.map((d) => stream(d, vocabulary).length);
    const fits = Math.min(length, ...lengths);
    const starts = picks.map(([a, b]) => {
      const shard = a % shards.length;
      return { shard, token: b % (lengths[shard]! - fits + 1) };
    });
    return { vocabulary, shards, starts, shape: { length: fits, heads, predictFirst } };
  });
});

const numbersOf = ({ inputs, targets, counts, bytes }: Blocks) => ({
  inputs: inputs.toArray(),
  targets: targets.toArray(),
  counts,
  bytes,
});

withFfi("gather() gives inputs, targets, counts and bytes by the definition of the stream", () => {
  return inFolder((folder) => {
    fc.assert(
      fc.property(gatherings, (gathering) => {
        using _scope = new Scope();
        const { vocabulary, shards, starts, shape } = gathering;
        const files = shards.map((d, i) => write(folder, `shard-${i}`, d, vocabulary));
        using set = new TokenShards(files, vocabulary);
        assert.deepEqual(set.tokens, shards.map((d) => stream(d, vocabulary).length));
        const blocks = set.gather(starts, shape);
        assert.deepEqual(blocks.inputs.shape, [starts.length, shape.length]);
        assert.deepEqual(blocks.targets.shape, [shape.heads, starts.length, shape.length]);
        assert.equal(blocks.inputs.dtype, "int64");
        assert.deepEqual(numbersOf(blocks), gatherByHand(gathering));
      }),
      { numRuns: 300 },
    );
  });
});

const text = (s: string): number[] => [...new TextEncoder().encode(s)];
const END = BYTES.endToken;
const id = (letter: string): number => letter.charCodeAt(0) + BYTES.offset;

withFfi("gather() keeps targets inside documents; the end token is one of its document", () => {
  return inFolder((folder) => {
    using _scope = new Scope();
    using set = new TokenShards([write(folder, "two", [text("ab"), text("c")])], BYTES);
    // position         0    1    2    3    4    5
    // token            END  a    b    END  c    END
    const whole = set.gather([{ shard: 0, token: 0 }], { length: 6, heads: 2, predictFirst: false });
    assert.deepEqual(whole.inputs.toArray(), [END, id("a"), id("b"), END, id("c"), END]);
    assert.deepEqual(whole.targets.toArray(), [
      ...[-1, id("b"), END, -1, END, -1], // head 1
      ...[-1, END, -1, -1, -1, -1], // head 2
    ]);
    assert.deepEqual(whole.counts, [3, 1]);
    assert.equal(whole.bytes, 1);
    const first = set.gather([{ shard: 0, token: 0 }], { length: 6, heads: 2, predictFirst: true });
    assert.deepEqual(first.targets.toArray(), [
      ...[id("a"), id("b"), END, id("c"), END, -1],
      ...[-1, END, -1, -1, -1, -1],
    ]);
    assert.deepEqual(first.counts, [5, 1]);
    assert.equal(first.bytes, 3);
  });
});

withFfi("adjacent blocks score each target of head 1 once", () => {
  return inFolder((folder) => {
    using _scope = new Scope();
    const all = [text("once upon"), text("a"), text("time there was")];
    using set = new TokenShards([write(folder, "all", all)], BYTES);
    const length = 7;
    const starts = Array.from({ length: Math.floor(set.tokens[0]! / length) }, (_, i) => ({
      shard: 0,
      token: i * length,
    }));
    const { counts } = set.gather(starts, { length, heads: 1, predictFirst: true });
    assert.equal(counts[0], starts.length * length - (starts.length * length === set.tokens[0] ? 1 : 0));
  });
});

withFfi("gather() takes what was prefetched for the same blocks, and gathers anew for others", () => {
  return inFolder((folder) => {
    fc.assert(
      fc.property(gatherings, gatherings, fc.nat({ max: 3 }), (gathering, other, change) => {
        using _scope = new Scope();
        const { vocabulary, shards, starts, shape } = gathering;
        const files = shards.map((d, i) => write(folder, `shard-${i}`, d, vocabulary));
        using set = new TokenShards(files, vocabulary);
        const asked = [
          { starts, shape },
          { starts: other.starts, shape: other.shape }, // may well be outside: nobody asks for it
          { starts: starts.slice(1), shape },
          { starts, shape: { ...shape, predictFirst: !shape.predictFirst } },
        ][change]!;
        set.prefetch(asked.starts, asked.shape);
        assert.deepEqual(numbersOf(set.gather(starts, shape)), gatherByHand(gathering));
        assert.deepEqual(numbersOf(set.gather(starts, shape)), gatherByHand(gathering), "asked again");
      }),
      { numRuns: 100 },
    );
  });
});

withFfi("what is wrong with prefetched blocks is told by gather()", () => {
  return inFolder((folder) => {
    using _scope = new Scope();
    using set = new TokenShards([write(folder, "one", [text("abc")])], BYTES);
    const shape = { length: 4, heads: 1, predictFirst: false };
    set.prefetch([{ shard: 0, token: 2 }], shape);
    assert.throws(() => set.gather([{ shard: 0, token: 2 }], shape), {
      name: "TorchError",
      message: "a block of 4 tokens at 2 of a shard of 5",
    });
    assert.equal(set.gather([{ shard: 0, token: 1 }], shape).bytes, 2);
  });
});

withFfi("shards can be closed while they are read ahead", () => {
  return inFolder((folder) => {
    const file = write(folder, "long", [Array.from({ length: 1e6 }, (_, i) => i % 256)]);
    const starts = Array.from({ length: 900 }, (_, i) => ({ shard: 0, token: 1000 * i }));
    for (let i = 0; i < 5; i++) {
      using set = new TokenShards([file], BYTES);
      set.prefetch(starts, { length: 1000, heads: 4, predictFirst: true });
      set.prefetch(starts, { length: 999, heads: 4, predictFirst: true });
    }
  });
});

withFfi("gather() refuses blocks outside the stream and shards that are not there", () => {
  return inFolder((folder) => {
    using _scope = new Scope();
    using set = new TokenShards([write(folder, "one", [text("abc")])], BYTES); // 5 tokens
    const gather = (shard: number, token: number, length: number) => () =>
      set.gather([{ shard, token }], { length, heads: 1, predictFirst: false });
    assert.throws(gather(0, 2, 4), { message: "a block of 4 tokens at 2 of a shard of 5" });
    assert.throws(gather(0, -1, 2), /a block of 2 tokens at -1/);
    assert.throws(gather(0, 100, 2), /a block of 2 tokens at 100/);
    assert.throws(gather(1, 0, 2), { message: "there is no shard 1" });
    assert.throws(gather(0, 0, 0), { message: "cannot gather 1 rows of 0 tokens for 1 heads" });
  });
});

withFfi("an id that is not in the vocabulary is an error that names the shard", () => {
  return inFolder((folder) => {
    using _scope = new Scope();
    const shape = { length: 3, heads: 1, predictFirst: true };
    for (const [tokenBytes, wrong] of [[2, 65535], [4, 2 ** 32 - 1], [4, 1000]] as const) {
      const vocabulary = subwords(tokenBytes, 1000, 0);
      const shard = write(folder, "bad", [[1, 2, 3], [4, wrong, 5, 6]], vocabulary);
      using set = new TokenShards([shard], vocabulary);
      assert.equal(set.gather([{ shard: 0, token: 0 }], shape).bytes, 1 + 2 + 3);
      assert.throws(() => set.gather([{ shard: 0, token: 5 }], shape), {
        message: `${shard.file} holds the id ${wrong}, which is not in the vocabulary of 1000`,
      });
    }
    const narrow = { ...BYTES, byteLengths: new Uint32Array(100) };
    using set = new TokenShards([write(folder, "bytes", [text("$%")])], narrow);
    assert.throws(() => set.gather([{ shard: 0, token: 0 }], shape), /holds the id 101, which is not in/);
  });
});

withFfi("a missing file is an error that names it", () => {
  return inFolder((folder) => {
    const { file, index } = write(folder, "one", [text("abc")]);
    const missing = `${folder}/missing.bin`;
    assert.throws(() => new TokenShards([{ file: missing, index }], BYTES), {
      name: "TorchError",
      message: `cannot open ${missing}: No such file or directory`,
    });
    assert.throws(() => new TokenShards([{ file, index: missing }], BYTES), /cannot open .*missing/);
    assert.throws(() => new TokenShards([{ file: folder, index }], BYTES), /cannot map/);
  });
});

withFfi("an index that does not fit its file is an error", () => {
  return inFolder((folder) => {
    const shard = write(folder, "one", [text("abc"), text("de")]);
    const open = () => new TokenShards([shard], BYTES);
    const writeIndex = (...ends: bigint[]) =>
      Deno.writeFileSync(shard.index, new Uint8Array(BigInt64Array.from(ends).buffer));

    Deno.truncateSync(shard.file, 4);
    assert.throws(open, /one\.bin holds 4 bytes and .*one\.idx speaks of 5 tokens of 1/);
    assert.throws(() => new TokenShards([shard], subwords(2, 300, 0)), /holds 4 bytes and .* 5 tokens of 2/);
    writeIndex(3n, 4n);
    open()[Symbol.dispose]();
    writeIndex(7n, 4n);
    assert.throws(open, /one\.idx goes back at document 1/);
    writeIndex(-1n, 4n);
    assert.throws(open, /one\.idx goes back at document 0/);
    Deno.truncateSync(shard.index, 12);
    assert.throws(open, /one\.idx is not a document index/);
    Deno.truncateSync(shard.index, 0);
    assert.throws(open, /one\.idx is not a document index/);
  });
});

withFfi("a vocabulary without its end token is an error", () => {
  return inFolder((folder) => {
    const shard = write(folder, "one", [text("abc")]);
    assert.throws(() => new TokenShards([shard], { ...BYTES, endToken: 320 }), {
      message: "the end token 320 is not in the vocabulary of 320",
    });
  });
});

withFfi("shards that were closed cannot be read, and a set of none can be closed", () => {
  return inFolder((folder) => {
    const set = new TokenShards([write(folder, "one", [text("abc")])], BYTES);
    set[Symbol.dispose]();
    const shape = { length: 1, heads: 1, predictFirst: false };
    assert.throws(() => set.gather([{ shard: 0, token: 0 }], shape), { message: "the shards are closed" });
    assert.throws(() => set.prefetch([{ shard: 0, token: 0 }], shape), { message: "the shards are closed" });
    assert.throws(() => set[Symbol.dispose](), TorchError);
    new TokenShards([], BYTES)[Symbol.dispose]();
  });
});
