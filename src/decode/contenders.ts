/** What a decode stage measures: which numbers of heads, and how the engine is told to decode with each. */
import type { DecodeConfig } from "../config/schema.ts";
import type { Settings } from "./settings.ts";

/** Numbers of heads that an arm is measured with: plain decoding first. */
export function headsOf({ heads }: DecodeConfig, headCount: number): (number | "auto")[] {
  const all = Array.from({ length: headCount - 1 }, (_, i) => i + 2);
  const drafting = (heads ?? all).filter((n) => n === "auto" ? headCount > 1 : n > 1 && n <= headCount);
  return [1, ...drafting];
}

/** Most tokens that head 1 verifies behind a sure one. */
export function draftedTokens({ tree }: DecodeConfig, heads: number): number {
  return heads === 1 ? 0 : tree?.nodes ?? heads - 1;
}

/** Plain decoding has no drafts: of it, acceptance and trees say nothing. */
export function settingsFor(config: DecodeConfig, heads: number | "auto", batch: number): Settings {
  const { sampling, acceptance, seed, tree } = config;
  const common = { heads, batch, seed, sampling };
  if (heads === 1) return { ...common, acceptance: "exact", tree: 1, treeNodes: 1 };
  return { ...common, acceptance, tree: tree?.candidates ?? 1, treeNodes: tree?.nodes ?? 1 };
}

/** Strict decoding has no ties: all decoders do the same arithmetic. */
export const toleranceOf = ({ mode, tolerance }: DecodeConfig): number => mode === "strict" ? 0 : tolerance;

/** Whether drafts leave plain decoding's output, or its distribution, as it is. */
export const isLossless = ({ acceptance }: DecodeConfig): boolean => acceptance === "exact";
