/** One stage's folder, read with care: what is missing or broken in it becomes a sentence, not the end of the report. */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import type * as z from "zod";
import { UserError } from "../stage/errors.ts";
import type { Need } from "../stage/io.ts";
import { type Command, stageFile, type Status, statusFile } from "./inputs.ts";
import { type Metrics, MetricsLines, readJson, type ReadText } from "./read.ts";

/** A stage's configuration as it was run. */
export type Config = Readonly<Record<string, unknown>>;

export class StageFolder {
  readonly id: string;
  /** What it ran: `prepare`, `train`, ... */
  readonly run: string;
  readonly config: Config | null;
  readonly command: Command | null;
  /** Of the attempt that stage.json is about. */
  readonly status: Status | null;
  /** How many sentences it has told. */
  told = 0;
  readonly #folder: string;
  readonly #read: ReadText;
  readonly #tell: (sentence: string) => void;

  /** @param tell Gets sentences with their full stops. */
  constructor({ id, run, folder }: Need, read: ReadText, tell: (sentence: string) => void) {
    this.id = id;
    this.run = run;
    this.#folder = folder;
    this.#read = read;
    this.#tell = (sentence) => {
      this.told++;
      tell(sentence);
    };
    const stage = this.#orTell(() => readJson(read, join(folder, "stage.json"), stageFile));
    const status = this.#orTell(() => readJson(read, join(folder, "status.json"), statusFile));
    this.config = stage?.config ?? null;
    this.command = stage?.command ?? null;
    this.status = stage === null || status?.fingerprint === stage.fingerprint ? status : null;
  }

  /** Whether it was never begun. */
  get isUnused(): boolean {
    return this.config === null && this.status === null;
  }

  /** Why it has no results, where its status says so. */
  get failure(): string | null {
    const { state, error } = this.status ?? {};
    const name = `The ${this.run} stage ${this.id}`;
    if (state === "failed") {
      return `${name} failed${error === undefined ? "" : `: ${error.replace(/\.$/, "")}`}.`;
    }
    if (state === "interrupted") return `${name} was stopped before its end.`;
    if (state === "running") return `${name} has not ended.`;
    return null;
  }

  /** A result file, checked; null where it is missing or malformed. */
  json<T>(file: string, schema: z.ZodType<T>): T | null {
    const value = this.#orTell(() => readJson(this.#read, join(this.#folder, file), schema));
    if (value !== null) this.#compareWithSeal(file, this.#read(join(this.#folder, file)) ?? "");
    return value;
  }

  /** metrics.jsonl less its malformed lines; null where it is missing. */
  metrics(): Metrics | null {
    const path = join(this.#folder, "metrics.jsonl");
    const text = this.#orTell(() => this.#read(path));
    if (text === null) return null;
    this.#compareWithSeal("metrics.jsonl", text);
    const lines = new MetricsLines(path);
    let [first, broken]: [UserError | null, number] = [null, 0];
    // What follows the last line break is empty, or a line that was cut off.
    for (const line of text.split("\n").slice(0, -1)) {
      try {
        lines.add(line);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        first ??= error;
        broken++;
      }
    }
    if (first !== null) {
      const more = broken === 1 ? "" : `, and ${broken - 1} more such line${broken === 2 ? "" : "s"}`;
      this.#tell(`${this.#inRun(first)}${more}: left out of the curves.`);
    }
    return lines.metrics();
  }

  /** A sentence where the file is not as its stage left it. */
  #compareWithSeal(file: string, text: string): void {
    const seal = this.status?.results?.[file];
    if (seal === undefined || createHash("sha256").update(text).digest("hex") === seal) return;
    const stage = `${this.run} stage ${this.id}`;
    this.#tell(
      `${file} of the ${stage} was changed after its stage ended: its figures are not those of the run.`,
    );
  }

  #orTell<T>(read: () => T | null): T | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#tell(`${this.#inRun(error)}.`);
      return null;
    }
  }

  /** The message with paths from the run's folder on: the page does not tell where it was made. */
  #inRun({ message }: UserError): string {
    return message.replaceAll(join(dirname(this.#folder), "/"), "");
  }
}
