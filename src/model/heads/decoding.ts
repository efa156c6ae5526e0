/** What the heads of every kind do in decoding. Shape suffixes as in decoder.ts. */
import { type DecodeWeight, embedding, Tensor } from "../../torch/mod.ts";
import type { DecodeBlock } from "../decode_block.ts";

/** What new rows come out as, each (R, D). */
export interface Rows {
  /** The trunk's output, before head 1's own blocks and the final norm. */
  readonly trunk: Tensor;
  /** What head 1's unembedding reads. */
  readonly first: Tensor;
}

/** The K heads of a model with their weights laid out for decoding. */
export interface HeadsDecoder extends Disposable {
  /** Head 1's own blocks, whose keys and values lie behind the trunk's. */
  readonly ofHead1: readonly DecodeBlock[];
  /** Head 1's. */
  readonly unembedding: DecodeWeight;
  /** Whether drafts come from the last accepted row alone, so that a drafter may be passed over for some steps. */
  readonly draftsFromLastRow: boolean;
  newDrafter(sequences: number, capacity: number): Drafter;
}

/** Rows that are to stay: those of a step that were accepted, or all of a prompt's. */
export interface Accepted {
  readonly rows: Rows;
  /** By sequence that takes part, in the order of the rows. */
  readonly sequences: readonly AcceptedRows[];
}

export interface AcceptedRows {
  /** Its number in the caches. */
  readonly sequence: number;
  /** Its accepted rows' indices in `rows`; at least one. */
  readonly rows: readonly number[];
  /** Their tokens. */
  readonly ids: readonly number[];
  /** What head 1 chose behind the last of them. */
  readonly next: number;
}

/**
 * Chooses the drafts of some heads from their logits: row s * heads.length + h belongs to the s-th sequence that takes
 * part and to head heads[h]. Gives a token for each row; kinds whose heads do not read each other's choices (all but
 * `sequential`) make no use of them.
 */
export type Choose = (logits: Tensor, heads: readonly number[]) => readonly number[];

/** The heads from 2 on at work on some sequences, with keys and values of their own where they have blocks. */
export interface Drafter extends Disposable {
  /**
   * Takes in rows that have been accepted, all of them and each once, and drafts what comes after `next`.
   *
   * @param depth Heads 2 to `depth` draft. Where drafts do not come from the last row alone, for a sequence never more than
   *   in the call before, but after {@link reset}.
   */
  draft(accepted: Accepted, depth: number, choose: Choose): void;

  /** Forgets a sequence: another takes its number. */
  reset(sequence: number): void;
}

/** Rows of a matrix, in the order given. */
export function pick(x_RD: Tensor, rows: readonly number[]): Tensor {
  const first = rows[0]!;
  const inOnePiece = rows.every((row, i) => row === first + i);
  return inOnePiece
    ? x_RD.slice(0, first, first + rows.length)
    : embedding(Tensor.ids(rows).to("int64", x_RD.device), x_RD);
}

/** The last accepted row of every sequence, (S, D). */
export const lastRows = (x_RD: Tensor, { sequences }: Accepted): Tensor =>
  pick(x_RD, sequences.map(({ rows }) => rows.at(-1)!));
