/** Proves the order of the blocks: each once an epoch, from every shard, by position alone, the same for every arm. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { BlockOrder, BlockTable } from "../../src/data/batches.ts";
import type { BlockStart } from "../../src/torch/mod.ts";

const key = ({ shard, token }: BlockStart): string => `${shard}:${token}`;

/** Every block by the definition: from multiples of the length, as long as the last target of head 1 exists. */
function blocksByHand(tokens: readonly number[], length: number): string[] {
  return tokens.flatMap((n, shard) =>
    Array.from({ length: n }, (_, token) => token)
      .filter((token) => token % length === 0 && token + length < n)
      .map((token) => key({ shard, token }))
  );
}

const tables = fc.record({
  tokens: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
  length: fc.integer({ min: 1, max: 9 }),
});
const filled = tables.filter(({ tokens, length }) => blocksByHand(tokens, length).length > 0);
const seeds = fc.nat({ max: 2 ** 32 - 1 });

Deno.test("a table holds every whole block of every shard, in the order of the text", () => {
  fc.assert(
    fc.property(tables, ({ tokens, length }) => {
      const table = new BlockTable(tokens, length);
      const all = Array.from({ length: table.count }, (_, n) => key(table.start(n)));
      assert.deepEqual(all, blocksByHand(tokens, length));
    }),
  );
});

Deno.test("start() refuses a block that is not there", () => {
  assert.throws(() => new BlockTable([9, 5], 4).start(3), {
    name: "RangeError",
    message: "There is no block 3 of 3",
  });
  assert.throws(() => new BlockTable([], 4).start(0), RangeError);
});

Deno.test("spread() gives different blocks at even distances, or all where there are fewer", () => {
  fc.assert(
    fc.property(filled, fc.integer({ min: 1, max: 40 }), ({ tokens, length }, count) => {
      const table = new BlockTable(tokens, length);
      const all = blocksByHand(tokens, length);
      const chosen = table.spread(count).map((start) => all.indexOf(key(start)));
      assert.equal(chosen.length, Math.min(count, all.length));
      const gaps = chosen.slice(1).map((n, i) => n - chosen[i]!);
      assert.ok(gaps.every((gap) => gap >= 1), "blocks repeat or go back");
      assert.ok(gaps.length === 0 || Math.max(...gaps) - Math.min(...gaps) <= 1, `uneven: ${gaps}`);
      assert.ok(
        Math.abs(chosen[0]! - (all.length - 1 - chosen.at(-1)!)) <= 1,
        "more text before than behind",
      );
    }),
  );
});

Deno.test("every epoch has every block once", () => {
  fc.assert(
    fc.property(filled, seeds, fc.integer({ min: 0, max: 3 }), ({ tokens, length }, seed, epoch) => {
      const table = new BlockTable(tokens, length);
      const starts = new BlockOrder(table, seed).at(epoch * table.count, table.count);
      assert.deepEqual(starts.map(key).sort(), blocksByHand(tokens, length).sort());
    }),
  );
});

Deno.test("a position has the same block whatever was asked before and however many are asked at once", () => {
  fc.assert(
    fc.property(
      filled,
      seeds,
      fc.nat({ max: 150 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }),
      ({ tokens, length }, seed, position, counts) => {
        const table = new BlockTable(tokens, length);
        const total = counts.reduce((sum, count) => sum + count, 0);
        const expected = new BlockOrder(table, seed).at(position, total);
        const order = new BlockOrder(table, seed);
        let at = position;
        const pieces = counts.flatMap((count) => order.at((at += count) - count, count));
        assert.deepEqual(pieces, expected);
        assert.deepEqual(order.at(position, total), expected); // also backwards
      },
    ),
  );
});

Deno.test("the ranks together take what one alone would, each in its order", () => {
  fc.assert(
    fc.property(
      filled,
      seeds,
      fc.integer({ min: 1, max: 5 }),
      fc.nat({ max: 100 }),
      fc.nat({ max: 40 }),
      ({ tokens, length }, seed, ranks, position, count) => {
        const table = new BlockTable(tokens, length);
        const alone = new BlockOrder(table, seed).at(position, count);
        const shares = Array.from(
          { length: ranks },
          (_, rank) => new BlockOrder(table, seed, { rank, ranks }).at(position, count),
        );
        const joined = alone.map((_, i) => shares[(position + i) % ranks]!.shift());
        assert.deepEqual(joined, alone);
        assert.ok(shares.every((rest) => rest.length === 0));
      },
    ),
  );
});

Deno.test("epochs and seeds differ in their order", () => {
  const table = new BlockTable([400, 300], 4);
  const order = (seed: number, epoch: number) =>
    new BlockOrder(table, seed).at(epoch * table.count, table.count).map(key).join();
  const orders = [order(1, 0), order(1, 1), order(1, 2), order(2, 0), order(2, 1)];
  assert.equal(new Set(orders).size, orders.length);
});

Deno.test("an order mixes: no half of an epoch is half of the text", () => {
  const table = new BlockTable([4001], 4);
  const half = new BlockOrder(table, 1337).at(0, table.count / 2);
  const fromFirstHalf = half.filter(({ token }) => token < 2000).length;
  assert.ok(Math.abs(fromFirstHalf - 250) < 40, `${fromFirstHalf} of 500`); // 250 within 5 standard deviations of 7.9
});
