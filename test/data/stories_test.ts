/**
 * Proves that the stories agree in number and repeat their names, and that the minimal pairs are right. Agreement is
 * checked by a reading of its own: which nouns are plural, which verbs go with them, where a subject ends.
 */

import assert from "node:assert/strict";
import { grammarPairs } from "../../src/data/grammar.ts";
import { story } from "../../src/data/stories.ts";

const SAMPLE = Array.from({ length: 400 }, (_, index) => story(1337, index));

Deno.test("story() differs by seed and by number", () => {
  const titles = [0, 1, 2].flatMap((seed) => [0, 1, 2, 3].map((index) => story(seed, index).split("\n")[0]));
  assert.equal(new Set(titles).size, titles.length);
});

Deno.test("story() is ASCII text of whole lines without blank ones", () => {
  for (const text of SAMPLE) {
    assert.match(text, /^(?:[ -~]+\n){8,}$/);
    assert.doesNotMatch(text, /undefined|null|\$\{| {2}| \.|\ba [aeiou]|\ban (?!hour)[^aeiou]/);
  }
});

Deno.test("story() ends every sentence and closes every quotation", () => {
  for (const text of SAMPLE) {
    for (const line of text.trimEnd().split("\n").slice(1)) {
      assert.match(line, /[.!]"?$/, line);
      assert.equal(line.split('"').length % 2, 1, line);
    }
  }
});

Deno.test("story() brings the hero's full name and what is wanted back again", () => {
  for (const text of SAMPLE) {
    const [, name, thing] = /^(\w+ \w+) and the (.*)$/m.exec(text.split("\n")[0]!)!;
    assert.ok(text.split(name!).length - 1 >= 2, text);
    assert.ok(text.split(thing!.toLowerCase()).length - 1 >= 2, text);
    assert.ok(name!.split(" ").every((part) => part.length >= 2));
  }
});

Deno.test("story() gives everybody in it another name", () => {
  for (const text of SAMPLE) {
    const named = [...text.matchAll(/ named (\w+)/g)].map(([, name]) => name);
    assert.equal(new Set(named).size, named.length, text);
  }
});

const IRREGULAR_PLURALS = new Set(["children", "women", "men", "geese", "mice"]);
const PLURAL_VERBS = /^(were|say|think|are|swear|sell|mend|feed|sweep|carry)$/;
const SINGULAR_VERBS = /^(was|says|thinks|is|swears|sells|mends|feeds|sweeps|carries)$/;

const isPlural = (noun: string) => IRREGULAR_PLURALS.has(noun) || noun.endsWith("s");

type GrammaticalNumber = "singular" | "plural";

/** The number of the noun that heads a subject, and of every verb that belongs to it. */
function numbers(sentence: string): { noun: GrammaticalNumber; verbs: GrammaticalNumber[] } | undefined {
  const [, noun] =
    /^The (?:old )?(\w+) (?:near|behind|beside|in front|next to|who|whom|that) /.exec(sentence) ?? [];
  if (!noun) return undefined;
  const verbs = sentence.split(" that it ")[0]!.split(/[ .]/)
    .filter((word) => PLURAL_VERBS.test(word) || SINGULAR_VERBS.test(word));
  return {
    noun: isPlural(noun) ? "plural" : "singular",
    verbs: verbs.map((verb) => PLURAL_VERBS.test(verb) ? "plural" : "singular"),
  };
}

Deno.test("story() makes verbs agree with subjects some words away", () => {
  const claim = / that (?=it |one |he |she |[A-Z])/; // what follows is not about the subject
  const subjects =
    /The (?!thing that)(?:old )?\w+ (?:near|behind|beside|in front|next to|whom?|that) [^."]*/g;
  const counts = { singular: 0, plural: 0 };
  for (const text of SAMPLE) {
    for (const [sentence] of text.matchAll(subjects)) {
      const { noun, verbs } = numbers(sentence.split(claim)[0]!)!;
      assert.ok(verbs.length >= 1 && verbs.every((verb) => verb === noun), sentence);
      counts[noun]++;
    }
  }
  assert.ok(counts.singular > 500 && counts.plural > 500, JSON.stringify(counts));
});

const first = (n: number) => [...grammarPairs(7).take(n)];

Deno.test("grammarPairs() differ in one verb, which agrees in the good sentence and not in the bad one", () => {
  const pairs = first(500);
  assert.deepEqual(pairs, first(500));
  for (const { good, bad } of pairs) {
    const [right, wrong] = [good.split(" "), bad.split(" ")];
    assert.equal(right.length, wrong.length);
    const different = right.flatMap((word, i) => word === wrong[i] ? [] : [i]);
    assert.equal(different.length, 1, `${good} / ${bad}`);
    const [yes, no] = [numbers(good)!, numbers(bad)!];
    assert.ok(yes.verbs.every((verb) => verb === yes.noun), good);
    assert.equal(no.verbs.filter((verb) => verb !== no.noun).length, 1, bad);
  }
});

Deno.test("grammarPairs() have nouns of both numbers between subject and verb", () => {
  const pairs = first(500).map(({ good }) => good);
  assert.ok(
    pairs.some((good) =>
      /^The boys near the \w+s were/.test(good) || /^The \w+s \w+ the \w+s were/.test(good)
    ),
  );
  assert.ok(pairs.some((good) => /^The \w+s (near|behind|beside) the \w*[^s] were/.test(good)));
  assert.ok(pairs.some((good) => /^The \w*[^s] (near|behind|beside) the \w+s was/.test(good)));
});

Deno.test("grammarPairs() know their rule, and whether the noun before the verb misleads", () => {
  const rules = new Map<string, number>();
  for (const { good, rule, misleads } of first(500)) {
    const { noun } = numbers(good)!;
    const [, between] = /(\w+)(?: knew)? (?:was|were|says?|thinks?|is sure|are sure|swears?) /.exec(good)!;
    assert.equal(misleads, isPlural(between!) !== (noun === "plural"), good);
    const expected = / that (it will rain)/.test(good)
      ? "present tense"
      : / whom /.test(good)
      ? "object clause"
      : / (who|that) /.test(good)
      ? "relative clause"
      : "preposition";
    assert.equal(rule, expected, good);
    rules.set(`${rule} ${misleads}`, (rules.get(`${rule} ${misleads}`) ?? 0) + 1);
  }
  assert.equal(rules.size, 8);
});

Deno.test("no story has a sentence of grammarPairs(), nor the subject of one", () => {
  const text = SAMPLE.join("") + Array.from({ length: 400 }, (_, index) => story(7, index)).join("");
  const told = new Set(
    text.match(/The [a-z][^."]*?(?= (?:was|were|says?|thinks?|is sure|are sure|swears?) )/g),
  );
  assert.ok(told.size > 1000);
  for (const { good } of first(5000)) {
    const subject = /^(.*?) (?:was|were|says?|thinks?|is sure|are sure|swears?) /.exec(good)![1]!;
    assert.ok(!told.has(subject), subject);
  }
  for (const { good, bad } of first(200)) assert.ok(!text.includes(good) && !text.includes(bad));
});
