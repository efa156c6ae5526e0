/** Lines on standard error, and below them a progress line, or a few, that are redrawn. */

import type { Line } from "./io.ts";

/** The line where there is room enough. */
export const inFull = (line: Line): string => typeof line === "string" ? line : line(Infinity);

/** Where to write, and what that place can do. */
export interface Screen {
  write(text: string): void;
  /** Whether a line can be redrawn. */
  readonly interactive: boolean;
  /** Whether a runner reads it, line by line, and draws what is to be redrawn. */
  readonly piped?: boolean;
  /** Width in characters, asked anew for each drawing. */
  columns(): number;
  /** Milliseconds. */
  now(): number;
}

/** Milliseconds between drawings of the progress line on a terminal, and between its lines elsewhere. */
const REDRAW = 100;
const REPEAT = 5000;
/** Back to the first column, and clear the line; the same for the line above. */
const CLEAR = "\r\x1b[K";
const CLEAR_ABOVE = "\x1b[A\x1b[K";
/** Begins a progress line that a stage hands to its runner, and the milliseconds between two of them. */
export const HANDED_ON = "\r";
const HAND_ON = 500;

/** Log lines scroll; the progress line stays below them. */
export class Terminal {
  #progress = "";
  #drawnAt: number;

  constructor(readonly screen: Screen = standardError()) {
    this.#drawnAt = screen.interactive ? -Infinity : screen.now(); // what ends within five seconds needs no line
  }

  /** Writes a line above the progress line. */
  log(line: string): void {
    this.#write(`${this.#clearing()}${line}\n${this.#progress}`);
  }

  /** Redraws the progress line ten times a second at most; without a terminal, a plain line every five seconds. */
  progress(...lines: readonly Line[]): void {
    const { interactive, piped = false, columns, now } = this.screen;
    if (now() - this.#drawnAt < (interactive ? REDRAW : piped ? HAND_ON : REPEAT)) return;
    this.#drawnAt = now();
    if (!interactive) {
      return this.#write(lines.map((line) => `${piped ? HANDED_ON : ""}${inFull(line)}\n`).join(""));
    }
    // The last column stays free: some terminals wrap there, and then the line could not be cleared.
    const room = Math.max(0, columns() - 1);
    const drawn = lines.map((line) => (typeof line === "string" ? line : line(room)).slice(0, room)).join(
      "\n",
    );
    this.#write((this.#clearing() || CLEAR) + drawn);
    this.#progress = drawn;
  }

  /** Takes the progress line away. */
  clear(): void {
    if (this.#progress !== "") this.#write(this.#clearing());
    this.#progress = "";
  }

  /** What takes away the lines that stand there now. */
  #clearing(): string {
    if (this.#progress === "") return "";
    return CLEAR + CLEAR_ABOVE.repeat(this.#progress.split("\n").length - 1);
  }

  #write(text: string): void {
    try {
      this.screen.write(text);
    } catch {
      // The terminal is gone or the pipe is closed; hours of work do not end for that, and the log has the line.
    }
  }
}

/** @param piped Whether the runner that started this process reads it. */
export function standardError(piped = false): Screen {
  const interactive = !piped && Deno.stderr.isTerminal();
  const encoder = new TextEncoder();
  return {
    interactive,
    piped,
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
