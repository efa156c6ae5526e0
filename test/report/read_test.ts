/** Proves how result files are read: repeated steps, a line cut short, and the sentence for what is malformed. */

import assert from "node:assert/strict";
import * as z from "zod";
import { readJson, readMetrics } from "../../src/report/read.ts";
import { UserError } from "../../src/stage/errors.ts";

const step = (step: number, loss: number | null): string =>
  JSON.stringify({ kind: "step", step, heads: [loss], weights: [1] });
const validation = (step: number, bits: number): string =>
  JSON.stringify({ kind: "validation", step, bits_per_byte: bits, expected_tokens_per_forward: 1 });
const metrics = (text: string) => readMetrics(() => text, "ntp/metrics.jsonl")!;

Deno.test("readMetrics() keeps the last line of a step that a resumed run wrote again", () => {
  const { steps, validations } = metrics(
    [
      step(10, 3),
      step(20, 2.5),
      validation(20, 4),
      step(30, 2),
      step(20, 2.4),
      validation(20, 3.9),
      step(30, 1.9),
      "",
    ].join("\n"),
  );
  assert.deepEqual(steps.map(({ step, heads }) => [step, heads[0]]), [[10, 3], [20, 2.4], [30, 1.9]]);
  assert.deepEqual(validations.map((v) => v.bits_per_byte), [3.9]);
});

Deno.test("readMetrics() leaves out a last line that was cut off anywhere", () => {
  const whole = `${step(10, 3)}\n`;
  const cut = `${step(20, 2)}\n`;
  for (let length = 0; length < cut.length; length++) {
    assert.equal(metrics(whole + cut.slice(0, length)).steps.length, 1);
  }
  assert.equal(metrics(whole + cut).steps.length, 2);
});

Deno.test("readMetrics() skips kinds that it does not know and accepts sleeping heads", () => {
  assert.deepEqual(metrics(`{"kind":"note","text":"x"}\n${step(1, null)}\n`).steps[0]!.heads, [null]);
});

Deno.test("readMetrics() names file and line of a malformed line", () => {
  const cases: [string, RegExp][] = [
    ["{", /not valid JSON/],
    ["[]", /an object with a "kind" expected/],
    ["null", /an object with a "kind" expected/],
    ['{"kind":"step","step":20,"heads":["x"],"weights":[1]}', /heads\[0\]: expected number/],
    ['{"kind":"validation","step":-1,"bits_per_byte":1,"expected_tokens_per_forward":1}', /step: /],
  ];
  for (const [line, expected] of cases) {
    assert.throws(() => metrics(`${step(10, 3)}\n${line}\n${step(30, 1)}\n`), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /^Cannot read "ntp\/metrics\.jsonl" line 2: /);
      assert.match(error.message, expected);
      return true;
    });
  }
});

Deno.test("readJson() is null for a missing file and a sentence with the key for a wrong one", () => {
  const schema = z.object({ arms: z.array(z.object({ bits: z.number() })) });
  assert.equal(readJson(() => null, "eval.json", schema), null);
  assert.throws(() => readJson(() => '{"arms":[{"bits":"1"}]}', "eval.json", schema), {
    name: "UserError",
    message: 'Cannot read "eval.json": arms[0].bits: expected number, received string',
  });
  assert.throws(() => readJson(() => "{", "eval.json", schema), /Cannot read "eval\.json": not valid JSON/);
});
