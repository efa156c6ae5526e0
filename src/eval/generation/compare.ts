/**
 * Two arms against each other on the same prompts: a judge is asked twice, each text once in the first place, and is not
 * told whose it is. Only an answer that holds in both orders counts: a judge who prefers a place gives ties.
 */

import { verdict } from "./judge.ts";
import type { Server } from "./server.ts";

/** How one prompt ended for the arm. */
export type Outcome = "win" | "loss" | "tie" | "inconsistent";

/** Asks about one prompt in both orders. @throws {Unanswered} where either has no answer */
export async function compare(
  beginning: string,
  own: string,
  other: string,
  server: Server,
  stop: AbortSignal,
): Promise<Outcome> {
  const first = await verdict(beginning, own, other, server, stop);
  const second = await verdict(beginning, other, own, server, stop);
  if (first === "A" && second === "B") return "win";
  if (first === "B" && second === "A") return "loss";
  return first === "C" && second === "C" ? "tie" : "inconsistent";
}

/** Of all prompts. */
export interface Comparison {
  readonly wins: number;
  readonly losses: number;
  /** With the inconsistent ones. */
  readonly ties: number;
  /** Prompts about which the two orders were answered differently. */
  readonly inconsistent: number;
  /** Prompts without an answer in both orders. */
  readonly missing: number;
  /** Wins and half of the ties, over all that were answered; null where none was. */
  readonly win_rate: number | null;
  /** 95%, Wilson's (1927); ties make it wider than it need be. */
  readonly interval: readonly [number, number] | null;
}

/** Sums up outcomes; null is a prompt without an answer. */
export function summarizeOutcomes(outcomes: readonly (Outcome | null)[]): Comparison {
  const count = (which: Outcome | null) => outcomes.filter((outcome) => outcome === which).length;
  const [wins, losses, inconsistent, missing] = [
    count("win"),
    count("loss"),
    count("inconsistent"),
    count(null),
  ];
  const ties = count("tie") + inconsistent;
  const n = outcomes.length - missing;
  const win_rate = n === 0 ? null : (wins + ties / 2) / n;
  return {
    wins,
    losses,
    ties,
    inconsistent,
    missing,
    win_rate,
    interval: win_rate === null ? null : wilson(win_rate, n),
  };
}

/** Of a share among n, 95%. */
function wilson(share: number, n: number): [number, number] {
  const z = 1.959964;
  const centre = (share + z * z / (2 * n)) / (1 + z * z / n);
  const half = z / (1 + z * z / n) * Math.sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
