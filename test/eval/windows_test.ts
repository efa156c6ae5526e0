/** Proves the windows over a stream: every target once, in order, with as much context before it as the stride leaves. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { windowsOver } from "../../src/eval/windows.ts";

const cases = fc.record({
  tokens: fc.integer({ min: 0, max: 200 }),
  length: fc.integer({ min: 1, max: 40 }),
}).chain(({ tokens, length }) =>
  fc.record({
    tokens: fc.constant(tokens),
    length: fc.constant(length),
    stride: fc.integer({ min: 1, max: length }),
  })
);

/** Each scored input of the stream, with the number of inputs that its window has before it. */
function scored(tokens: number, length: number, stride: number): { input: number; context: number }[] {
  return [...windowsOver(tokens, length, stride)].flatMap((window) =>
    Array.from({ length: window.length - window.seen }, (_, i) => ({
      input: window.start + window.seen + i,
      context: window.seen + i,
    }))
  );
}

Deno.test("windowsOver() scores each target once, in order; the last token is a target only", () => {
  fc.assert(
    fc.property(cases, ({ tokens, length, stride }) => {
      const inputs = scored(tokens, length, stride).map(({ input }) => input);
      assert.deepEqual(inputs, Array.from({ length: Math.max(0, tokens - 1) }, (_, i) => i));
    }),
  );
});

Deno.test("windowsOver() gives every target all that stands before it, or at least length - stride inputs", () => {
  fc.assert(
    fc.property(cases, ({ tokens, length, stride }) => {
      for (const { input, context } of scored(tokens, length, stride)) {
        assert.ok(context <= input);
        assert.ok(context === input || context >= length - stride, `input ${input} has ${context} before it`);
      }
    }),
  );
});

Deno.test("windowsOver() stays inside the stream and is never longer than asked", () => {
  fc.assert(
    fc.property(cases, ({ tokens, length, stride }) => {
      for (const window of windowsOver(tokens, length, stride)) {
        assert.ok(window.start >= 0 && window.start + window.length <= tokens - 1);
        assert.ok(window.length >= 1 && window.length <= length);
        assert.ok(window.seen >= 0 && window.seen < window.length);
      }
    }),
  );
});

Deno.test("whatever the stride, the first window is the same, and a stride of 1 gives the most context", () => {
  fc.assert(
    fc.property(cases, ({ tokens, length, stride }) => {
      const [first] = windowsOver(tokens, length, stride);
      const [same] = windowsOver(tokens, length, length);
      assert.deepEqual(first, same);
      const most = scored(tokens, length, 1);
      scored(tokens, length, stride).forEach(({ context }, i) => assert.ok(context <= most[i]!.context));
    }),
  );
});

Deno.test("windowsOver() by example: 12 tokens, windows of 6, 4 new inputs each", () => {
  assert.deepEqual([...windowsOver(12, 6, 4)], [
    { start: 0, length: 6, seen: 0 }, // 0 to 5
    { start: 4, length: 6, seen: 2 }, // 6 to 9
    { start: 5, length: 6, seen: 5 }, // 10, the last input; token 11 is its target
  ]);
});
