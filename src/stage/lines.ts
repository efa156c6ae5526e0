/** Lines of a stream, such as standard input, as they come. */

/**
 * Whole lines, without their ends; the last one also where it has none.
 *
 * @param stop Ends the waiting: its reason is thrown.
 */
export async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  stop?: AbortSignal,
): AsyncGenerator<string, undefined> {
  const text = stream.pipeThrough(new TextDecoderStream(), stop === undefined ? {} : { signal: stop });
  let rest = "";
  for await (const chunk of text) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
