/** Proves what is drawn: by the probabilities of the logits, after each way of leaving tokens out. */
import assert from "node:assert/strict";
import { Random } from "../../../src/data/random.ts";
import { draw } from "../../../src/eval/generation/generate.ts";

/** Probabilities 1/2, 1/4, 1/8, 1/8 at temperature 1, in another order. */
const LOGITS = [1 / 8, 1 / 2, 1 / 8, 1 / 4].map(Math.log);
const DRAWS = 20_000;

function shares(sampling: Parameters<typeof draw>[1]): number[] {
  const random = new Random(5, 1);
  const counts = LOGITS.map(() => 0);
  for (let i = 0; i < DRAWS; i++) counts[draw(LOGITS, sampling, random)]!++;
  return counts.map((count) => count / DRAWS);
}

function assertShares(sampling: Parameters<typeof draw>[1], expected: readonly number[]): void {
  shares(sampling).forEach((share, i) => {
    const p = expected[i]!;
    if (p === 0) return assert.equal(share, 0);
    const deviation = Math.sqrt(p * (1 - p) / DRAWS);
    assert.ok(Math.abs(share - p) <= 4 * deviation, `token ${i}: ${share}, expected ${p}`);
  });
}

Deno.test("draw() gives each token as often as its probability says", () => {
  assertShares({ temperature: 1 }, [1 / 8, 1 / 2, 1 / 8, 1 / 4]);
});

Deno.test("draw() at temperature 1/2 squares the probabilities", () => {
  const squares = [1 / 64, 1 / 4, 1 / 64, 1 / 16];
  const sum = squares.reduce((a, b) => a + b);
  assertShares({ temperature: 0.5 }, squares.map((square) => square / sum));
});

Deno.test("draw() leaves out by top-k, top-p and min-p, and shares what is left", () => {
  assertShares({ temperature: 1, top_k: 2 }, [0, 2 / 3, 0, 1 / 3]);
  assertShares({ temperature: 1, top_p: 0.75 }, [0, 2 / 3, 0, 1 / 3]);
  assertShares({ temperature: 1, top_p: 0.76 }, [1 / 7, 4 / 7, 0, 2 / 7]);
  assertShares({ temperature: 1, min_p: 0.5 }, [0, 2 / 3, 0, 1 / 3]);
  assertShares({ temperature: 1, min_p: 0.2 }, [1 / 8, 1 / 2, 1 / 8, 1 / 4]);
  assertShares({ temperature: 1, top_k: 3, top_p: 0.8 }, [0, 2 / 3, 0, 1 / 3]); // of what top-k leaves
});

Deno.test("draw() always keeps the likeliest token", () => {
  for (const sampling of [{ top_k: 1 }, { top_p: 1e-9 }, { min_p: 0.999 }]) {
    assert.deepEqual(shares({ temperature: 5, ...sampling }), [0, 1, 0, 0]);
  }
});
