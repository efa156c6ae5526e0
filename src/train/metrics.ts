/** metrics.jsonl: one JSON object a line, appended as the run goes; a resumed run drops the lines that it will repeat. */
import { join } from "node:path";
import { writeText } from "../formats/atomic.ts";
import { GrowingFile } from "../formats/growing_file.ts";
import type { ScoreSummary } from "../model/mod.ts";
import type { UserError } from "../stage/errors.ts";

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
  readonly heads: readonly (number | null)[];
  /** Of the last of the steps. */
  readonly weights: readonly number[];
  /** Number of heads that were awake in the last of the steps. */
  readonly active_heads: number;
  readonly lr: number;
  /** Of the last of the steps, before clipping. */
  readonly grad_norm: number;
  /** Share of the steps that were clipped. */
  readonly clipped: number;
  readonly tokens_per_s: number;
  /** Model FLOPs utilization: the model's own arithmetic over what the device could do; null: not known. */
  readonly mfu: number | null;
  /** This process's memory. */
  readonly rss_bytes: number;
  /** The device's memory that is in use: on the CPU the same. */
  readonly memory_bytes: number;
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

/** Something that the user should look at. */
export interface WarningLine {
  readonly kind: "warning";
  readonly step: number;
  /** What it is about, for programs: `loss_spike`, `not_saved`, ... */
  readonly name: string;
  /** What was seen, and what to try. */
  readonly message: string;
}

export type MetricsLine = StepLine | ValidationLine | WarningLine;

/** The file, open for appending. */
export class Metrics implements Disposable {
  readonly #file: GrowingFile;
  /** The lines that were there before, up to the step that the run goes on from. */
  readonly before: readonly MetricsLine[];

  /**
   * Opens the file and drops what stands behind `step`: a killed run had gone further than its last checkpoint.
   *
   * @throws {UserError} where the system refuses.
   */
  constructor(folder: string, step: number) {
    const path = join(folder, "metrics.jsonl");
    this.before = linesUpTo(path, step);
    writeText(path, this.before.map((line) => `${JSON.stringify(line)}\n`).join(""));
    this.#file = new GrowingFile(path);
  }

  /** Adds a line. Returns what the system said when it refused; the line is then written later. */
  write(line: MetricsLine): UserError | null {
    return this.#file.line(JSON.stringify(line));
  }

  /** To the disk: a checkpoint must not know more steps than the file. @throws {UserError} where the system refuses. */
  flush(): void {
    this.#file.flush();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

function linesUpTo(path: string, step: number): MetricsLine[] {
  let text;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return text.split("\n").flatMap((line) => {
    try {
      const value = JSON.parse(line) as MetricsLine;
      return value.step <= step ? [value] : [];
    } catch {
      return []; // the line that a kill cut short, or the end of the file
    }
  });
}
