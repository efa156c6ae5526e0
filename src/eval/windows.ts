/**
 * Windows over a token stream such that each target is scored once, with context before it: every window but the first
 * scores only what the one before it did not reach.
 */

/** Inputs `start` to `start + length`; the first `seen` of them were scored before. */
export interface Window {
  readonly start: number;
  readonly length: number;
  readonly seen: number;
}

/**
 * @param tokens Tokens of the stream; the last one is a target only.
 * @param length Most inputs of a window.
 * @param stride Inputs that a window adds; at most `length`.
 */
export function* windowsOver(tokens: number, length: number, stride: number): Generator<Window> {
  const inputs = tokens - 1;
  for (let scored = 0; scored < inputs;) {
    const end = Math.min(scored === 0 ? length : scored + stride, inputs);
    const start = Math.max(0, end - length);
    yield { start, length: end - start, seen: scored - start };
    scored = end;
  }
}
