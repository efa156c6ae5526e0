/** Proves the gathering of blocks against the definition of the token stream, written out over plain arrays. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type BlockStart, ByteShards, Scope, TorchError } from "../../src/torch/mod.ts";
import { withFfi } from "../support.ts";

const END = 0;
const BYTE_OFFSET = 64;

/** Runs `body` with a fresh folder and removes it. */
function inFolder(body: (folder: string) => void): void {
  Deno.mkdirSync("runs/.test", { recursive: true });
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ dir: "runs/.test" }));
  try {
    body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

type Documents = readonly Uint8Array[];

/** Writes a shard: the bytes end to end, and where each document ends. */
function write(folder: string, name: string, documents: Documents): { file: string; index: string } {
  const paths = { file: `${folder}/${name}.bin`, index: `${folder}/${name}.idx` };
  const ends = new BigUint64Array(documents.length);
  let bytes = 0;
  for (const [i, document] of documents.entries()) ends[i] = BigInt(bytes += document.length);
  Deno.writeFileSync(paths.file, Uint8Array.from(documents.flatMap((d) => [...d])));
  Deno.writeFileSync(paths.index, new Uint8Array(ends.buffer));
  return paths;
}

/** END d1 END d2 END ... dn END. */
const stream = (documents: Documents): number[] => [
  END,
  ...documents.flatMap((d) => [...Array.from(d, (byte) => byte + BYTE_OFFSET), END]),
];

/** The target of one head at one position of a stream, or -1. */
function target(tokens: readonly number[], at: number, head: number, predictFirst: boolean): number {
  const next = tokens[at + head];
  if (next === undefined) return -1;
  if (head === 1 && predictFirst) return next;
  const crosses = tokens.slice(at, at + head).includes(END); // a document ends before the target
  return crosses ? -1 : next;
}

interface Gathering {
  readonly shards: readonly Documents[];
  readonly starts: readonly BlockStart[];
  readonly length: number;
  readonly heads: number;
  readonly predictFirst: boolean;
}

/** What {@link ByteShards.gather} must give, by the definition. */
function gatherByHand({ shards, starts, length, heads, predictFirst }: Gathering) {
  const streams = shards.map(stream);
  const positions = Array.from({ length }, (_, t) => t);
  const inputs = starts.flatMap(({ shard, token }) => streams[shard]!.slice(token, token + length));
  const targets = Array.from(
    { length: heads },
    (_, i) =>
      starts.flatMap(({ shard, token }) =>
        positions.map((t) => target(streams[shard]!, token + t, i + 1, predictFirst))
      ),
  );
  return {
    inputs,
    targets: targets.flat(),
    counts: targets.map((row) => row.filter((id) => id >= 0).length),
    bytes: targets[0]!.filter((id) => id > END).length,
  };
}

const documents = fc.array(fc.uint8Array({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 });

const gatherings: fc.Arbitrary<Gathering> = fc.record({
  shards: fc.array(documents, { minLength: 1, maxLength: 3 }),
  picks: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 5 }),
  length: fc.integer({ min: 1, max: 20 }),
  heads: fc.integer({ min: 1, max: 5 }),
  predictFirst: fc.boolean(),
}).map(({ shards, picks, length, ...rest }) => {
  const tokens = shards.map((d) => stream(d).length);
  const fits = Math.min(length, ...tokens);
  const starts = picks.map(([a, b]) => {
    const shard = a % shards.length;
    return { shard, token: b % (tokens[shard]! - fits + 1) };
  });
  return { shards, starts, length: fits, ...rest };
});

withFfi("gather() gives inputs, targets and counts by the definition of the stream", () => {
  inFolder((folder) => {
    fc.assert(
      fc.property(gatherings, (gathering) => {
        using _scope = new Scope();
        const { shards, starts, length, heads, predictFirst } = gathering;
        using set = new ByteShards(shards.map((d, i) => write(folder, `shard-${i}`, d)));
        assert.deepEqual(set.tokens, shards.map((d) => stream(d).length));
        const blocks = set.gather(starts, length, heads, predictFirst);
        const expected = gatherByHand(gathering);
        assert.deepEqual(blocks.inputs.shape, [starts.length, length]);
        assert.deepEqual(blocks.targets.shape, [heads, starts.length, length]);
        assert.equal(blocks.inputs.dtype, "int64");
        assert.deepEqual(blocks.inputs.toArray(), expected.inputs);
        assert.deepEqual(blocks.targets.toArray(), expected.targets);
        assert.deepEqual(blocks.counts, expected.counts);
        assert.equal(blocks.bytes, expected.bytes);
      }),
      { numRuns: 150 },
    );
  });
});

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const id = (letter: string): number => letter.charCodeAt(0) + BYTE_OFFSET;

withFfi("gather() keeps targets inside documents; the end token is one of its document", () => {
  inFolder((folder) => {
    using _scope = new Scope();
    using set = new ByteShards([write(folder, "two", [text("ab"), text("c")])]);
    // position         0    1    2    3    4    5
    // token            END  a    b    END  c    END
    const whole = set.gather([{ shard: 0, token: 0 }], 6, 2, false);
    assert.deepEqual(whole.inputs.toArray(), [END, id("a"), id("b"), END, id("c"), END]);
    assert.deepEqual(whole.targets.toArray(), [
      ...[-1, id("b"), END, -1, END, -1], // head 1
      ...[-1, END, -1, -1, -1, -1], // head 2
    ]);
    assert.deepEqual(whole.counts, [3, 1]);
    assert.equal(whole.bytes, 1);
    const first = set.gather([{ shard: 0, token: 0 }], 6, 2, true);
    assert.deepEqual(first.targets.toArray(), [
      ...[id("a"), id("b"), END, id("c"), END, -1],
      ...[-1, END, -1, -1, -1, -1],
    ]);
    assert.deepEqual(first.counts, [5, 1]);
    assert.equal(first.bytes, 3);
  });
});

withFfi("adjacent blocks score each target of head 1 once", () => {
  inFolder((folder) => {
    using _scope = new Scope();
    const all = [text("once upon"), text("a"), text("time there was")];
    using set = new ByteShards([write(folder, "all", all)]);
    const length = 7;
    const starts = Array.from({ length: Math.floor(set.tokens[0]! / length) }, (_, i) => ({
      shard: 0,
      token: i * length,
    }));
    const { counts } = set.gather(starts, length, 1, true);
    assert.equal(counts[0], starts.length * length - (starts.length * length === set.tokens[0] ? 1 : 0));
  });
});

withFfi("gather() refuses blocks outside the stream and shards that are not there", () => {
  inFolder((folder) => {
    using _scope = new Scope();
    using set = new ByteShards([write(folder, "one", [text("abc")])]); // 5 tokens
    const gather = (shard: number, token: number, length: number) => () =>
      set.gather([{ shard, token }], length, 1, false);
    assert.throws(gather(0, 2, 4), { message: "a block of 4 tokens at 2 of a shard of 5" });
    assert.throws(gather(0, -1, 2), /a block of 2 tokens at -1/);
    assert.throws(gather(0, 100, 2), /a block of 2 tokens at 100/);
    assert.throws(gather(1, 0, 2), { message: "there is no shard 1" });
  });
});

withFfi("a missing file is an error that names it", () => {
  inFolder((folder) => {
    const { file, index } = write(folder, "one", [text("abc")]);
    const missing = `${folder}/missing.bin`;
    assert.throws(() => new ByteShards([{ file: missing, index }]), {
      name: "TorchError",
      message: `cannot open ${missing}: No such file or directory`,
    });
    assert.throws(() => new ByteShards([{ file, index: missing }]), /cannot open .*missing/);
    assert.throws(() => new ByteShards([{ file: folder, index }]), /cannot map/);
  });
});

withFfi("an index that does not fit its file is an error", () => {
  inFolder((folder) => {
    const shard = write(folder, "one", [text("abc"), text("de")]);
    const open = () => new ByteShards([shard]);
    const writeIndex = (...ends: bigint[]) =>
      Deno.writeFileSync(shard.index, new Uint8Array(BigInt64Array.from(ends).buffer));

    Deno.truncateSync(shard.file, 4);
    assert.throws(open, /one\.bin holds 4 bytes and .*one\.idx speaks of 5/);
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

withFfi("shards that were closed cannot be read, and a set of none can be closed", () => {
  inFolder((folder) => {
    const set = new ByteShards([write(folder, "one", [text("abc")])]);
    set[Symbol.dispose]();
    assert.throws(() => set.gather([{ shard: 0, token: 0 }], 1, 1, false), {
      message: "the shards are closed",
    });
    assert.throws(() => set[Symbol.dispose](), TorchError);
    new ByteShards([])[Symbol.dispose]();
  });
});
