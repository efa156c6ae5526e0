/**
 * Proves that the stories are the same everywhere, agree in number, and repeat their names. Agreement is checked
 * by a reading of its own: which nouns are plural, which verbs go with them, where a subject ends.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { grammarPairs } from "../../src/data/grammar.ts";
import { stories, story } from "../../src/data/stories.ts";

const SAMPLE = Array.from({ length: 400 }, (_, index) => story(1337, index));

Deno.test("stories() makes the same bytes on every machine", () => {
  const hash = createHash("sha256");
  for (const document of stories(1337, 200_000)) hash.update(document);
  assert.equal(hash.digest("hex"), "a9dc77722345913389f1ea98366d8bfa57dac6dc42688b944a16a9cc5e9c9e77");
});

Deno.test("stories() makes whole stories until there are enough bytes", () => {
  const decoder = new TextDecoder();
  const made = [...stories(5, 20_000)];
  assert.deepEqual(made.map((document) => decoder.decode(document)), made.map((_, i) => story(5, i)));
  const bytes = made.reduce((sum, document) => sum + document.length, 0);
  assert.ok(bytes >= 20_000 && bytes - made.at(-1)!.length < 20_000);
});

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

type GrammaticalNumber = "singular" | "plural";

/** The number of the noun that heads a subject, and of every verb that belongs to it. */
function numbers(sentence: string): { noun: GrammaticalNumber; verbs: GrammaticalNumber[] } | undefined {
  const [, noun] =
    /^The (?:old )?(\w+) (?:near|behind|beside|in front|next to|who|whom|that) /.exec(sentence) ?? [];
  if (!noun) return undefined;
  const verbs = sentence.split(" that it ")[0]!.split(/[ .]/)
    .filter((word) => PLURAL_VERBS.test(word) || SINGULAR_VERBS.test(word));
  return {
    noun: IRREGULAR_PLURALS.has(noun) || noun.endsWith("s") ? "plural" : "singular",
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

Deno.test("grammarPairs() differ in one verb, which agrees in the good sentence and not in the bad one", () => {
  const pairs = grammarPairs(7, 500);
  assert.deepEqual(pairs, grammarPairs(7, 500));
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
  const pairs = grammarPairs(7, 500).map(({ good }) => good);
  assert.ok(
    pairs.some((good) =>
      /^The boys near the \w+s were/.test(good) || /^The \w+s \w+ the \w+s were/.test(good)
    ),
  );
  assert.ok(pairs.some((good) => /^The \w+s (near|behind|beside) the \w*[^s] were/.test(good)));
  assert.ok(pairs.some((good) => /^The \w*[^s] (near|behind|beside) the \w+s was/.test(good)));
});
