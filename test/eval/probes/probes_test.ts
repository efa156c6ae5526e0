/** Proves that probes are the same for a seed, as many as asked for, and apart from the text that models are trained on. */

import assert from "node:assert/strict";
import { madeUp } from "../../../src/data/made_up.ts";
import { namedStory } from "../../../src/data/names.ts";
import type { MadeUp } from "../../../src/config/schema/prepare.ts";
import { fill } from "../../../src/eval/probes/fill.ts";
import { PROBES } from "../../../src/eval/probes/mod.ts";
import type { Cloze, Group, Pair } from "../../../src/eval/tasks/items.ts";

const itemsOf = (groups: readonly Group[]) => groups.flatMap(({ items }) => items);
const clozes = (groups: readonly Group[]) =>
  itemsOf(groups).map((item) => {
    assert.equal(item.form, "cloze");
    return item as Cloze;
  });
const trainingText = (what: MadeUp, seed: number) => {
  const decoder = new TextDecoder();
  return Array.from(madeUp(what, seed, 400_000), (document) => decoder.decode(document));
};

for (const [name, probe] of Object.entries(PROBES)) {
  Deno.test(`${name} has the same items for the same seed, and as many in each group as asked for`, () => {
    const groups = probe({ seed: 1, items: 20 });
    assert.deepEqual(probe({ seed: 1, items: 20 }), groups);
    assert.notDeepEqual(probe({ seed: 2, items: 20 }), groups);
    assert.ok(groups.length > 1 && groups.every(({ items }) => items.length === 20));
    assert.equal(new Set(groups.map(({ name }) => name)).size, groups.length);
    assert.ok(probe({ seed: 1, items: 0 }).every(({ items }) => items.length === 0));
  });

  Deno.test(`${name} has items that begin as those of a smaller probe do`, () => {
    const small = probe({ seed: 1, items: 5 });
    const large = probe({ seed: 1, items: 20 });
    assert.deepEqual(large.map(({ name, items }) => ({ name, items: items.slice(0, 5) })), small);
  });
}

Deno.test("induction asks for the second token of a name that stands in the context, that many bytes before", () => {
  const groups = PROBES["induction"]!({ seed: 3, items: 200 });
  const digits = new Map<string, number>();
  for (const { name, items } of groups) {
    const [least, most] = /^up/.test(name) ? [2, 32] : name.match(/\d+/g)!.map(Number) as [number, number];
    for (const { context, target } of clozes([{ name, items }])) {
      assert.ok(context.length <= 250, `${context.length} bytes`);
      assert.match(context, /^\S/);
      assert.match(target, /^\d$/);
      const at = context.length - 1;
      const before = context.lastIndexOf(context[at]! + target);
      assert.ok(before >= 0 && at - before >= least && at - before <= most, `${name}: ${at - before}`);
      // No other digit stands behind that capital: the context alone tells the target.
      assert.deepEqual(
        new Set(context.match(new RegExp(`${context[at]}\\d`, "g"))),
        new Set([context[at]! + target]),
      );
      digits.set(target, (digits.get(target) ?? 0) + 1);
    }
  }
  assert.equal(digits.size, 10);
  for (const count of digits.values()) assert.ok(count < 120, `a target that is right ${count} times in 600`);
});

Deno.test("induction takes one item a group from a story, from a word's beginning on", () => {
  const groups = PROBES["induction"]!({ seed: 3, items: 30 });
  const stories = Array.from({ length: 400 }, (_, i) => namedStory(3, 2 ** 31 + i, true));
  for (const group of groups) {
    const from = clozes([group]).map(({ context, target }) => {
      const story = stories.findIndex((text) => text.includes(context + target));
      const at = stories[story]!.indexOf(context + target);
      assert.ok(at === 0 || /\s/.test(stories[story]![at - 1]!), context);
      return story;
    });
    assert.equal(new Set(from).size, 30, group.name);
  }
});

Deno.test("induction begins no context as a training text of any seed begins", () => {
  const titles = new Set(
    [1, 2, 3].flatMap((seed) => trainingText("names", seed)).map((text) => text.split("\n")[0]),
  );
  const asked = clozes(PROBES["induction"]!({ seed: 3, items: 200 })).map(({ context }) =>
    context.split("\n")[0]
  );
  assert.ok(titles.size > 100);
  for (const title of asked) assert.ok(!titles.has(title), title);
});

Deno.test("polynomials counts operations, and asks nothing that stands in the training text", () => {
  const groups = PROBES["polynomials"]!({ seed: 3, items: 100 });
  for (const [i, group] of groups.entries()) {
    assert.equal(parseInt(group.name), i + 1);
    for (const { context, target } of clozes([group])) {
      assert.equal(context.match(/[+*]/g)!.length, i + 1);
      assert.match(context + target, /^[0-6+*()]+=[0-6]{5}$/);
    }
  }
  assert.equal(groups.length, 8);
  const questions = new Set(trainingText("polynomials", 3).map((text) => text.split("=")[0]));
  for (const { context } of clozes(groups)) assert.ok(!questions.has(context.slice(0, -1)));
});

Deno.test("grammar pairs differ in one word, and neither stands in the training text", () => {
  const groups = PROBES["grammar"]!({ seed: 3, items: 100 });
  assert.equal(groups.length, 8);
  const text = trainingText("stories", 3).join("") + trainingText("names", 3).join("");
  for (const item of itemsOf(groups)) {
    const { form, good, bad } = item as Pair;
    assert.equal(form, "pair");
    const [right, wrong] = [good.split(" "), bad.split(" ")];
    assert.equal(right.filter((word, i) => word !== wrong[i]).length, 1);
    assert.equal(right.length, wrong.length);
  }
  for (const { items } of groups) {
    for (const item of items.slice(0, 10)) {
      assert.ok(!text.includes((item as Pair).good) && !text.includes((item as Pair).bad));
    }
  }
});

Deno.test("fill() gives each group its items, in their order, and reads no farther than it must", () => {
  let read = 0;
  function* stream() {
    for (;; read++) {
      yield [["a", "b", "elsewhere"][read % 3]!, { form: "pair", good: `${read}`, bad: "" }] as const;
    }
  }
  const groups = fill(["a", "b"], 2, stream());
  assert.deepEqual(groups.map(({ items }) => items.map((item) => (item as Pair).good)), [["0", "3"], [
    "1",
    "4",
  ]]);
  assert.equal(read, 4);
});
