/** What commands write, and to where: results to standard output, everything else to standard error. */

const encoder = new TextEncoder();

/** To standard output, which a script may read. */
export function write(text: string): void {
  put(Deno.stdout, text);
}

/** To standard error. */
export function complain(text: string): void {
  put(Deno.stderr, text);
}

function put(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error; // `foretoken plan x | head`: it has read enough
  }
}

/** Lines, or for a script one JSON value. */
export function writeResult(json: boolean, lines: () => readonly string[], value: () => unknown): void {
  write(json ? `${JSON.stringify(value(), null, 2)}\n` : `${lines().join("\n")}\n`);
}
