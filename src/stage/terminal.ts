/** Lines on standard error, and below them one progress line that is redrawn. */

import type { Line } from "./io.ts";

/** The line where there is room enough. */
export const inFull = (line: Line): string => typeof line === "string" ? line : line(Infinity);

/** Where to write, and what that place can do. */
export interface Screen {
  write(text: string): void;
  /** Whether a line can be redrawn. */
  readonly interactive: boolean;
  /** Width in characters, asked anew for each drawing. */
  columns(): number;
  /** Milliseconds. */
  now(): number;
}

/** Milliseconds between drawings of the progress line on a terminal, and between its lines elsewhere. */
const REDRAW = 100;
const REPEAT = 5000;
/** Back to the first column, and clear the line. */
const CLEAR = "\r\x1b[K";

/** Log lines scroll; the progress line stays below them. */
export class Terminal {
  #progress = "";
  #drawnAt: number;

  constructor(readonly screen: Screen = standardError()) {
    this.#drawnAt = screen.interactive ? -Infinity : screen.now(); // what ends within five seconds needs no line
  }

  /** Writes a line above the progress line. */
  log(line: string): void {
    this.#write(this.#progress === "" ? `${line}\n` : `${CLEAR}${line}\n${this.#progress}`);
  }

  /** Redraws the progress line ten times a second at most; without a terminal, a plain line every five seconds. */
  progress(line: Line): void {
    const { interactive, columns, now } = this.screen;
    if (now() - this.#drawnAt < (interactive ? REDRAW : REPEAT)) return;
    this.#drawnAt = now();
    if (!interactive) return this.#write(`${inFull(line)}\n`);
    // The last column stays free: some terminals wrap there, and then the line could not be cleared.
    const room = Math.max(0, columns() - 1);
    this.#progress = (typeof line === "string" ? line : line(room)).slice(0, room);
    this.#write(CLEAR + this.#progress);
  }

  /** Takes the progress line away. */
  clear(): void {
    if (this.#progress !== "") this.#write(CLEAR);
    this.#progress = "";
  }

  #write(text: string): void {
    try {
      this.screen.write(text);
    } catch {
      // The terminal is gone or the pipe is closed; hours of work do not end for that, and the log has the line.
    }
  }
}

function standardError(): Screen {
  const interactive = Deno.stderr.isTerminal();
  const encoder = new TextEncoder();
  return {
    interactive,
    write: (text) => {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
    },
    columns: () => {
      const { columns } = Deno.consoleSize();
      return columns || 80; // a terminal that does not know its size says 0
    },
    now: () => performance.now(),
  };
}
