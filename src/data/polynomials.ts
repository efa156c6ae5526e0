/**
 * Exercises in polynomial arithmetic: sums and products in the ring F_7[X]/(X^5), after Gloeckle et al. 2024 (the
 * algorithmic reasoning of section 4.2; its negation and composition are left out). Every digit of a result depends on
 * many digits before it, and nothing but the computation tells it.
 *
 *     (12034+50612)*10000=62646      a polynomial is its five coefficients, that of X^0 first
 */

import { drawOnSide } from "./held_out.ts";
import { Random } from "./random.ts";

/** Whole numbers from 0 to 6: the coefficients of X^0 to X^4. */
export type Polynomial = readonly number[];

/** A polynomial, or an operation on two expressions. */
export type Expression = Polynomial | Operation;

export interface Operation {
  readonly sign: "+" | "*";
  readonly left: Expression;
  readonly right: Expression;
}

/** An expression as text. */
export interface Exercise {
  /** Up to the equals sign, which is its last character. */
  readonly question: string;
  /** Five digits. */
  readonly answer: string;
}

const MODULUS = 7;
const COEFFICIENTS = 5;

/** Operations that an exercise of the training text may have, each number as often. */
export const MOST_OPERATIONS = 5;

/** Exercise `index` of the training text, ended by a line break: one to five operations, none of those held out. */
export function exerciseText(seed: number, index: number): string {
  const random = new Random(seed, index);
  const { question, answer } = exercise(random, 1 + random.below(MOST_OPERATIONS), false);
  return `${question}${answer}\n`;
}

/** @param heldOut Whether it is one of the questions that no training text has, or one of the others. */
export function exercise(random: Random, operations: number, heldOut: boolean): Exercise {
  const draw = () => {
    const expression = expressionOf(random, operations);
    return { question: `${written(expression)}=`, answer: valueOf(expression).join("") };
  };
  return drawOnSide(heldOut, draw, ({ question }) => question);
}

function expressionOf(random: Random, operations: number): Expression {
  if (operations === 0) return Array.from({ length: COEFFICIENTS }, () => random.below(MODULUS));
  const sign = random.pick(["+", "*"] as const);
  const onTheLeft = random.below(operations);
  const left = expressionOf(random, onTheLeft);
  return { sign, left, right: expressionOf(random, operations - 1 - onTheLeft) };
}

/** Operations within operations stand in parentheses, so that no order of operations need be known. */
export function written(expression: Expression): string {
  if (!isOperation(expression)) return expression.join("");
  const { sign, left, right } = expression;
  return [left, right].map((part) => isOperation(part) ? `(${written(part)})` : written(part)).join(sign);
}

/** What an expression comes to. */
export function valueOf(expression: Expression): Polynomial {
  if (!isOperation(expression)) return expression;
  const [a, b] = [valueOf(expression.left), valueOf(expression.right)];
  return expression.sign === "+" ? sum(a, b) : product(a, b);
}

const isOperation = (expression: Expression): expression is Operation => "sign" in expression;

function sum(a: Polynomial, b: Polynomial): Polynomial {
  return a.map((coefficient, i) => (coefficient + b[i]!) % MODULUS);
}

/** X^5 is 0: what a plain product has from there on falls away. */
function product(a: Polynomial, b: Polynomial): Polynomial {
  return a.map((_, power) => {
    let coefficient = 0;
    for (let i = 0; i <= power; i++) coefficient += a[i]! * b[power - i]!;
    return coefficient % MODULUS;
  });
}
