/** Proves the figures of a shard set against counts over plain arrays, and that a large set is sampled evenly. */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { openShardSet } from "../../src/data/shards.ts";
import { statisticsOf, writeStatistics } from "../../src/data/statistics.ts";
import { inFolder, withFfi, withFiles } from "../support.ts";
import { writeByteSet } from "./byte_set.ts";
import { tinyTokenizer, writeSubwordSet } from "./subword_set.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const OPTIONS = { samples: 3, seed: 1 };

const writeBytes = (folder: string, train: readonly Uint8Array[], val: readonly Uint8Array[]) =>
  writeByteSet(folder, { train, val }, { shardBytes: 1000 });

withFiles("lengths are counted into bins that hold every document once", (folder) => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5000 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(lengths, (lengths) => {
      writeBytes(folder, lengths.map((n) => new Uint8Array(n).fill(97)), [encode("x")]);
      const { lengths: found } = statisticsOf(openShardSet(folder), OPTIONS);
      const all = [...lengths, 1];
      assert.equal(found.documents, all.length);
      assert.equal(found.shortest, 1);
      assert.equal(found.longest, Math.max(...all));
      assert.ok(Math.abs(found.mean - all.reduce((a, b) => a + b) / all.length) < 1e-9);
      assert.ok(found.bins.length <= 17);
      found.bins.forEach(({ from, documents }, i) => {
        const to = found.bins[i + 1]?.from ?? Infinity;
        assert.ok(from < to);
        assert.equal(documents, all.filter((n) => n >= from && n < to).length);
      });
      assert.ok(found.bins[0]!.documents > 0 && found.bins.at(-1)!.documents > 0);
    }),
    { numRuns: 8 },
  );
});

withFiles("bins of lengths that differ little are equal steps", (folder) => {
  writeBytes(folder, [1282, 1299, 1300, 1450, 1682].map((n) => new Uint8Array(n)), [new Uint8Array(1290)]);
  const { bins } = statisticsOf(openShardSet(folder), OPTIONS).lengths;
  assert.deepEqual(bins.map(({ from }) => from), Array.from({ length: 9 }, (_, i) => 1250 + 50 * i));
  assert.deepEqual(bins.map(({ documents }) => documents), [3, 1, 0, 0, 1, 0, 0, 0, 1]);
});

withFiles("tokens are counted over the training text alone", (folder) => {
  writeBytes(folder, [encode("aaab"), encode("bc\n")], [encode("zzzz")]);
  const { frequencies } = statisticsOf(openShardSet(folder), OPTIONS);
  assert.deepEqual(frequencies, {
    counted: 7,
    tokens: 7,
    used: 4,
    vocab: 320,
    most: [
      { id: 97 + 64, label: "a", count: 3 },
      { id: 98 + 64, label: "b", count: 2 },
      { id: 10 + 64, label: "\\n", count: 1 },
      { id: 99 + 64, label: "c", count: 1 },
    ],
    least: [],
  });
});

withFiles("the least frequent tokens are those that are not among the most frequent", (folder) => {
  const letters = Array.from({ length: 30 }, (_, i) => "abcdefghijklmnopqrstuvwxyzABCD"[i]!);
  writeBytes(folder, [encode(letters.map((letter, i) => letter.repeat(i + 1)).join(""))], [encode("x")]);
  const { most, least, used } = statisticsOf(openShardSet(folder), OPTIONS).frequencies;
  assert.equal(used, 30);
  assert.deepEqual(most.map(({ label }) => label), letters.toReversed().slice(0, 20));
  assert.deepEqual(
    least.map(({ label, count }) => [label, count]),
    letters.slice(0, 10).map((l, i) => [l, i + 1]),
  );
});

withFiles("of a large set chunks from all over are counted", (folder) => {
  const chunk = 1 << 16;
  const text = new Uint8Array(40 * chunk);
  for (let i = 0; i < text.length; i++) text[i] = 97 + Math.floor(i / chunk / 10); // a quarter each of a, b, c, d
  writeBytes(folder, [text], [encode("x")]);
  const { frequencies } = statisticsOf(openShardSet(folder), { ...OPTIONS, mostTokens: text.length / 5 });
  assert.equal(frequencies.counted, text.length / 5);
  assert.equal(frequencies.tokens, text.length);
  assert.deepEqual(frequencies.most.map(({ label, count }) => [label, count / chunk]), [
    ["a", 2],
    ["b", 2],
    ["c", 2],
    ["d", 2],
  ]);
});

withFiles("samples are documents of all splits, the same for a seed, each once", (folder) => {
  const documents = Array.from({ length: 9 }, (_, i) => encode(`document ${i}\x07`));
  writeBytes(folder, documents.slice(0, 7), documents.slice(7));
  const set = openShardSet(folder);
  const all = statisticsOf(set, { samples: 20, seed: 4 }).samples;
  assert.deepEqual(all.map(({ text }) => text).sort(), documents.map((d) => new TextDecoder().decode(d)));
  assert.deepEqual(all.find(({ text }) => text.includes("8")), {
    split: "val",
    document: 1,
    tokens: 11,
    text: "document 8\x07",
  });
  const few = (seed: number) => statisticsOf(set, { samples: 2, seed }).samples;
  assert.deepEqual(few(1), few(1));
  assert.ok([2, 3, 4, 5].some((seed) => JSON.stringify(few(seed)) !== JSON.stringify(few(1))));
});

withFiles("a long sample is cut at a character and says so", (folder) => {
  writeBytes(folder, [encode("語".repeat(300))], [encode("x")]);
  const [sample] = statisticsOf(openShardSet(folder), { samples: 2, seed: 1 }).samples;
  assert.equal(sample!.text, `${"語".repeat(170)}…`); // 512 bytes are 170 characters of three, and two bytes
});

withFiles("statistics.json holds them", (folder) => {
  writeBytes(folder, [encode("abc")], [encode("d")]);
  writeStatistics(folder);
  const written = JSON.parse(Deno.readTextFileSync(join(folder, "statistics.json")));
  assert.deepEqual(written, statisticsOf(openShardSet(folder), { samples: 5, seed: 0 }));
});

withFfi("subword tokens are counted by id, and an id outside of the vocabulary is refused", () => {
  return inFolder((folder) => {
    const texts = { train: [["the cat sat", "the mat"], ["a cat 🦊"]], val: [["the"]] };
    const ids = writeSubwordSet(folder, texts, tinyTokenizer("the cat sat on the mat. ".repeat(20)));
    const { frequencies, lengths, samples } = statisticsOf(openShardSet(folder), { samples: 4, seed: 0 });
    const flat = ids.train.flat(2);
    assert.equal(frequencies.counted, flat.length);
    assert.equal(frequencies.used, new Set(flat).size);
    for (const { id, count } of frequencies.most) {
      assert.equal(
        count,
        flat.filter((other) => other === id).length,
      );
    }
    assert.equal(lengths.longest, Math.max(...ids.train.flat().map((d) => d.length)));
    assert.deepEqual(samples.map(({ text }) => text).sort(), ["a cat 🦊", "the", "the cat sat", "the mat"]);

    const shard = join(folder, "train-00000.bin");
    Deno.writeFileSync(shard, Deno.readFileSync(shard).fill(255, 0, 2));
    assert.throws(() => statisticsOf(openShardSet(folder), { samples: 0, seed: 0 }), {
      name: "UserError",
      message:
        /its shards hold ids that are not in the vocabulary of 269; run prepare again, with --stage and --force$/,
    });
  });
});
