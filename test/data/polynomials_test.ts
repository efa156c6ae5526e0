/**
 * Proves the arithmetic and its text. The results are compared with plain whole numbers: a polynomial stands for its value
 * at a very large X, sums and products are those of the numbers, and the coefficients are read off as digits in base X.
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  exercise,
  exerciseText,
  type Expression,
  MOST_OPERATIONS,
  type Polynomial,
  valueOf,
  written,
} from "../../src/data/polynomials.ts";
import { Random } from "../../src/data/random.ts";

const X = 10n ** 40n;

/** The value at X of an expression as text, which has at most one sign outside parentheses. */
function numberOf(text: string): bigint {
  let depth = 0;
  for (const [i, character] of [...text].entries()) {
    if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (depth === 0 && /[+*]/.test(character)) {
      const [a, b] = [text.slice(0, i), text.slice(i + 1)].map((part) => {
        assert.match(part, /^(\d{5}|\(.*\))$/, text);
        return numberOf(part.replace(/^\((.*)\)$/, "$1"));
      }) as [bigint, bigint];
      return character === "+" ? a + b : a * b;
    }
  }
  assert.match(text, /^[0-6]{5}$/);
  return [...text].reduceRight((value, digit) => value * X + BigInt(digit), 0n);
}

/** The five lowest digits in base X, each modulo 7. */
const reduced = (value: bigint) =>
  Array.from({ length: 5 }, (_, power) => value / X ** BigInt(power) % X % 7n).join("");

Deno.test("exercise() has the result that whole numbers give", () => {
  const random = new Random(1);
  for (let i = 0; i < 1000; i++) {
    const operations = 1 + i % 8;
    const { question, answer } = exercise(random, operations, i % 2 === 0);
    assert.equal(question.match(/[+*]/g)!.length, operations);
    assert.equal(answer, reduced(numberOf(question.slice(0, -1))), question);
  }
});

Deno.test("exercise() draws both signs, all digits, and each side of the tree", () => {
  const random = new Random(2);
  const questions = Array.from({ length: 1000 }, () => exercise(random, 2, false).question);
  const share = (pattern: RegExp) => questions.filter((question) => pattern.test(question)).length / 1000;
  assert.ok(Math.abs(share(/^\(/) - 1 / 2) < 0.05);
  assert.ok(Math.abs(share(/\d\+\d/) - 1 / 2) < 0.05);
  assert.equal(new Set(questions.join("").match(/\d/g)).size, 7);
});

Deno.test("exerciseText() has one to five operations, each number as often, and ends its line", () => {
  const counts = new Map<number, number>();
  for (let index = 0; index < 2000; index++) {
    const text = exerciseText(3, index);
    assert.match(text, /^[0-6+*()]+=[0-6]{5}\n$/);
    const operations = text.match(/[+*]/g)!.length;
    counts.set(operations, (counts.get(operations) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), [1, 2, 3, 4, 5]);
  assert.equal(counts.size, MOST_OPERATIONS);
  for (const count of counts.values()) assert.ok(Math.abs(count - 400) < 80, `${count}`);
});

Deno.test("exercise() never asks of a test what exerciseText() trains on, whatever the seeds", () => {
  const trained = new Set<string>();
  for (let index = 0; index < 5000; index++) trained.add(exerciseText(4, index).split("=")[0]!);
  // The same draws: only the side tells the questions apart.
  for (let index = 0; index < 5000; index++) {
    const random = new Random(4, index);
    const { question } = exercise(random, 1 + random.below(MOST_OPERATIONS), true);
    assert.ok(!trained.has(question.slice(0, -1)), question);
  }
});

const polynomial = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 5, maxLength: 5 });
const sum = (left: Expression, right: Expression): Expression => ({ sign: "+", left, right });
const product = (left: Expression, right: Expression): Expression => ({ sign: "*", left, right });
const X1: Polynomial = [0, 1, 0, 0, 0];

Deno.test("valueOf() has the laws of a commutative ring", () => {
  const same = (a: Expression, b: Expression) => assert.deepEqual(valueOf(a), valueOf(b));
  fc.assert(fc.property(polynomial, polynomial, polynomial, (a, b, c) => {
    same(sum(a, b), sum(b, a));
    same(sum(sum(a, b), c), sum(a, sum(b, c)));
    same(product(a, b), product(b, a));
    same(product(product(a, b), c), product(a, product(b, c)));
    same(product(a, sum(b, c)), sum(product(a, b), product(a, c)));
    same(sum(a, [0, 0, 0, 0, 0]), a);
    same(product(a, [1, 0, 0, 0, 0]), a);
    same([a, a, a, a, a, a].reduce(sum, a), [0, 0, 0, 0, 0]); // seven times
  }));
});

Deno.test("valueOf() shifts by X, of which the fifth power is zero", () => {
  assert.deepEqual(valueOf(product(X1, [1, 2, 3, 4, 5])), [0, 1, 2, 3, 4]);
  const fourth = product(product(X1, X1), product(X1, X1));
  assert.deepEqual(valueOf(fourth), [0, 0, 0, 0, 1]);
  assert.deepEqual(valueOf(product(fourth, X1)), [0, 0, 0, 0, 0]);
});

Deno.test("written() puts operations within operations in parentheses", () => {
  const [a, b, c] = [[1, 2, 0, 3, 4], [5, 0, 6, 1, 2], [1, 0, 0, 0, 0]] as const;
  assert.equal(written(product(sum(a, b), c)), "(12034+50612)*10000");
  assert.equal(written(sum(a, product(b, c))), "12034+(50612*10000)");
  assert.deepEqual(valueOf(product(sum(a, b), c)).join(""), "62646");
});
