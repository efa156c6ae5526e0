/**
 * What the command line asks of the process that generates: a line of JSON on its standard input. Prompts go this way
 * too, so that no argument list shows them, and so that the process needs to read neither their files nor a terminal.
 */
import type { Sampling } from "../decode/sampling.ts";

export interface Order {
  /** Decoded side by side; null: each further line on standard input is a prompt, as a JSON string. */
  readonly prompts: readonly string[] | null;
  /** New tokens of each; null: as many as are usual and fit. */
  readonly tokens: number | null;
  readonly sampling: Sampling;
  /** Strings that end a text; they are no part of it. */
  readonly stop: readonly string[];
  readonly seed: number;
  readonly heads: number | "auto" | "all";
  /** Candidates of each head. */
  readonly tree: number;
  readonly acceptance: "exact" | "typical";
  readonly device: "auto" | "cpu" | "cuda";
  readonly threads: "auto" | number;
  /** One JSON object for each prompt, in place of its text. */
  readonly json: boolean;
  /** Whether a line on standard error says how it went. */
  readonly stats: boolean;
}
