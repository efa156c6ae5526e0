/** metrics.jsonl: one JSON object a line, appended as the run goes; a resumed run drops the lines that it will repeat. */
import { join } from "node:path";
import { writeText } from "../formats/atomic.ts";
import { writing } from "../formats/file_errors.ts";
import type { ScoreSummary } from "../model/mod.ts";

/** A few steps, averaged. */
export interface StepLine {
  readonly kind: "step";
  /** The last of the steps, counted from 1. */
  readonly step: number;
  /** Tokens and text bytes that were trained on so far. */
  readonly tokens: number;
  readonly bytes: number;
  /** The weighted objective. */
  readonly loss: number;
  /** Mean NLL of each head's targets in nats; null: asleep. */
  readonly heads: (number | null)[];
  readonly weights: readonly number[];
  readonly lr: number;
  /** Before clipping. */
  readonly grad_norm: number;
  readonly tokens_per_s: number;
  readonly rss_bytes: number;
}

/** A pass over held-out text. */
export interface ValidationLine {
  readonly kind: "validation";
  readonly step: number;
  readonly bits_per_byte: number;
  readonly heads: ScoreSummary["heads"];
  /** Conditional, teacher-forced acceptance of the drafts of heads 2, 3, ... */
  readonly acceptance: readonly number[];
  /** 1 + the sum of the products of acceptance: an estimate, from true text as context. */
  readonly expected_tokens_per_forward: number;
}

/** The file, open for appending. */
export class Metrics implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;

  /** Opens the file and drops what stands behind `step`: a killed run had gone further than its last checkpoint. */
  constructor(folder: string, step: number) {
    const path = this.#path = join(folder, "metrics.jsonl");
    writeText(path, linesUpTo(path, step).map((line) => `${line}\n`).join(""));
    this.#file = writing(path, () => Deno.openSync(path, { append: true }));
  }

  write(line: StepLine | ValidationLine): void {
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    writing(this.#path, () => {
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    });
  }

  /** To the disk: a checkpoint must not know more steps than the file. */
  flush(): void {
    writing(this.#path, () => this.#file.syncDataSync());
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function linesUpTo(path: string, step: number): string[] {
  let text;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return text.split("\n").filter((line) => {
    try {
      return JSON.parse(line).step <= step;
    } catch {
      return false; // the line that a kill cut short, or the end of the file
    }
  });
}
