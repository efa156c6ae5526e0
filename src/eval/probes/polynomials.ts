/**
 * Whether a model of the exercises works out one that it has not seen: right when all five digits are. Groups: number of
 * operations. Training text has one to five; more are out of its domain (Gloeckle et al. 2024, section 4.2, algorithmic
 * reasoning: 2000 items a group there).
 */

import { exercise, MOST_OPERATIONS } from "../../data/polynomials.ts";
import { Random } from "../../data/random.ts";
import type { Cloze } from "../tasks/items.ts";
import type { Probe } from "./probe.ts";

/** Numbers of operations beyond those of the training text. */
const BEYOND = 3;

/** Streams of training text are numbered from 0: those from here on are others. */
const FIRST_STREAM = 2 ** 31;

export const polynomials: Probe = ({ seed, items }) =>
  Array.from({ length: MOST_OPERATIONS + BEYOND }, (_, i) => {
    const random = new Random(seed, FIRST_STREAM + i);
    const name = `${i + 1} ${i === 0 ? "operation" : "operations"}`;
    return { name, items: Array.from({ length: items }, () => item(random, i + 1)) };
  });

function item(random: Random, operations: number): Cloze {
  const { question, answer } = exercise(random, operations, true);
  return { form: "cloze", context: question, target: answer };
}
