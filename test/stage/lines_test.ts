/** Proves that lines come whole, however the stream is cut, and that waiting for one can be ended. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { linesOf } from "../../src/stage/lines.ts";

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const found = [];
  for await (const line of lines) found.push(line);
  return found;
}

Deno.test("linesOf() gives the lines of a text that comes in any pieces", async () => {
  const texts = fc.array(fc.constantFrom("a", "é", "🦊", "\n", "\r"), { maxLength: 20 });
  await fc.assert(fc.asyncProperty(texts, fc.integer({ min: 1, max: 7 }), async (characters, size) => {
    const text = characters.join("");
    const bytes = new TextEncoder().encode(text);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => {
      return bytes.slice(i * size, (i + 1) * size);
    });
    const lines = text.split("\n");
    assert.deepEqual(
      await all(linesOf(ReadableStream.from(pieces))),
      lines.at(-1) === "" ? lines.slice(0, -1) : lines,
    );
  }));
});

Deno.test("linesOf() ends with the reason of its signal", async () => {
  const stop = new AbortController();
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("one\ntw")),
  });
  const lines = linesOf(endless, stop.signal);
  assert.equal((await lines.next()).value, "one");
  const waiting = assert.rejects(lines.next(), { message: "enough" });
  stop.abort(new Error("enough"));
  await waiting;
});
