/**
 * Whether a model of the stories finds the sentence whose verb agrees more likely than its wrong twin, as BLiMP asks of
 * English. Groups: what stands between subject and verb, and whether the noun in it has the subject's number or misleads.
 */

import { type GrammarPair, grammarPairs, RULES } from "../../data/grammar.ts";
import type { Pair } from "../tasks/items.ts";
import { fill } from "./fill.ts";
import type { Probe } from "./probe.ts";

export const grammar: Probe = ({ seed, items }) => {
  const names = RULES.flatMap((rule) => [false, true].map((misleads) => nameOf({ rule, misleads })));
  return fill(names, items, labelled(seed));
};

const nameOf = ({ rule, misleads }: Pick<GrammarPair, "rule" | "misleads">) =>
  `${rule}, ${misleads ? "other" : "same"} number`;

function* labelled(seed: number): Generator<[string, Pair]> {
  for (const pair of grammarPairs(seed)) {
    yield [nameOf(pair), { form: "pair", good: pair.good, bad: pair.bad }];
  }
}
