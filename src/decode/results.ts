/** decode.json: what the stage has measured. */
import type { Kernels } from "../torch/mod.ts";
import type { Acceptance } from "./acceptance.ts";
import type { Rates } from "./bench.ts";
import type { Equality } from "./compare.ts";
import type { Repetition } from "./repetition.ts";
import type { PartTimes } from "./parts.ts";
import type { TeacherForced } from "./teacher_forced.ts";
import type { Range } from "./text.ts";

/** An arm over all domains. */
export interface ArmResult {
  readonly id: string;
  readonly curriculum: string;
  /** K. */
  readonly heads: number;
  /** Those of the measurements. */
  readonly kernels: Kernels;
  readonly domains: readonly DomainResult[];
}

export interface DomainResult {
  readonly name: string;
  readonly prompts: number;
  /** Bytes of text that a generated token stands for: tokens a second of two tokenizers are not alike. */
  readonly bytes_per_token: number;
  /** Of what the plain decoder writes, and of what the text goes on with, if it does. */
  readonly repetition: { readonly plain: Repetition; readonly truth: Repetition | null };
  readonly teacher_forced: TeacherForced | null;
  readonly batches: readonly BatchResult[];
  readonly samples: readonly Sample[];
}

export interface BatchResult {
  /** Prompts that share a forward. */
  readonly batch: number;
  /**
   * Plain decoding with the kernels that the measurements do not use, on the first prompts; null where there are no
   * others.
   */
  readonly other_plain: { readonly kernels: Kernels; readonly tokens_per_s: number } | null;
  /** Plain decoding, which has one head, first. */
  readonly measurements: readonly Measurement[];
}

export interface Measurement extends Rates {
  /** That were used, head 1 among them. */
  readonly heads: number | "auto";
  /** Tokens a second over those of the fastest plain decoder with this batch. */
  readonly speedup: number;
  /** Null for plain decoding and where the number of rows changes from step to step. */
  readonly ideal: Ideal | null;
  /** Mean of the forwards in which the whole batch decodes; null where there was none. */
  readonly forward: { readonly steps: number; readonly milliseconds: PartTimes } | null;
  /** Free-running. */
  readonly acceptance: readonly Acceptance[];
  /** Outputs against plain decoding of one prompt at a time; null where tokens are drawn at random. */
  readonly equal: Equality | null;
  readonly repetition: Repetition;
}

/** What the drafts would give if a forward took as long as its trunk and head 1. */
export interface Ideal {
  /** Time of a forward over a draft and its sure token, by that of a plain one: trunk and head 1. */
  readonly forward_cost: number;
  /** tokens_per_forward / forward_cost. */
  readonly speedup: number;
  /** The share of it that is measured against plain decoding with the same kernels. */
  readonly reached: number;
}

/** A prompt and its continuation. */
export interface Sample {
  readonly prompt: string;
  readonly text: string;
  /** What of the text came from accepted drafts. */
  readonly drafted: readonly Range[];
}
