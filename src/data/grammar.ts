/**
 * Sentences whose verb agrees with a subject that stands some words before it, with another noun in between:
 * "The boys near the well were asleep". The stories are sprinkled with them, and each comes with its wrong twin.
 */

import { Random } from "./random.ts";

/** A sentence, up to its full stop, around the verb that has to agree. */
export interface Agreement {
  /** The subject with what separates it from its verb, the first letter large. */
  readonly subject: string;
  /** The verb that agrees with the subject. */
  readonly verb: string;
  /** The same verb in the other number. */
  readonly wrong: string;
  /** What follows the verb. */
  readonly rest: string;
}

/** Two sentences that differ in the number of one verb. */
export interface GrammarPair {
  readonly good: string;
  readonly bad: string;
}

/** Singular and plural. */
type Forms = readonly [string, string];

const regular = (...nouns: string[]): Forms[] => nouns.map((noun) => [noun, `${noun}s`]);

const PEOPLE: readonly Forms[] = [
  ...regular(
    "boy",
    "girl",
    "farmer",
    "sailor",
    "baker",
    "neighbor",
    "shepherd",
    "weaver",
    "hunter",
    "teacher",
  ),
  ["child", "children"],
  ["woman", "women"],
  ["old man", "old men"],
];

const ANIMALS: readonly Forms[] = [
  ...regular("dog", "cat", "horse", "crow", "duck", "cow", "rabbit", "swallow"),
  ["goose", "geese"],
  ["mouse", "mice"],
];

const THINGS: readonly Forms[] = [
  ...regular("lamp", "barrel", "boat", "cart", "bell", "chair", "basket", "ladder", "bucket", "flag"),
  ["bench", "benches"],
  ["box", "boxes"],
];

const PLACES: readonly Forms[] = [
  ...regular("well", "tree", "gate", "barn", "wall", "window", "mill", "garden", "tower", "fountain"),
  ["church", "churches"],
];

const NEAR = ["near", "behind", "beside", "in front of", "next to"];

const WAS: Forms = ["was", "were"];

/** A noun with the sentences that it may head: modifiers between it and its verb, and ends after "was" or "were". */
interface Kind {
  readonly nouns: readonly Forms[];
  readonly clauses: readonly ((random: Random) => string)[];
  readonly ends: readonly string[];
}

const near = (random: Random) => `${random.pick(NEAR)} the ${either(random, PLACES)}`;

const KINDS: readonly Kind[] = [
  {
    nouns: PEOPLE,
    clauses: [
      near,
      near,
      (random) => `who had come from the ${either(random, PLACES)}`,
      (random) => `who waited for the ${either(random, PEOPLE)}`,
      (random) => `whom the ${either(random, PEOPLE)} knew`,
    ],
    ends: [
      "singing an old song",
      "talking about the weather",
      "too busy to look up",
      "laughing at a joke",
      "eating bread and cheese",
      "ready to go home",
    ],
  },
  {
    nouns: ANIMALS,
    clauses: [
      near,
      near,
      (random) => `that belonged to the ${either(random, PEOPLE)}`,
      (random) => `that followed the ${either(random, PEOPLE)}`,
    ],
    ends: ["asleep in the sun", "looking for food", "quiet for once", "not afraid of anyone"],
  },
  {
    nouns: THINGS,
    clauses: [
      near,
      near,
      (random) => `that belonged to the ${either(random, PEOPLE)}`,
      (random) => `that stood between the ${random.pick(PLACES)[1]}`,
    ],
    ends: [
      "covered with dust",
      "wet from the rain",
      "painted blue",
      "older than the village",
      "broken again",
    ],
  },
];

/** Clauses with a verb of their own that agrees too: "who sells apples", "who sell apples". */
const TRADES: readonly [Forms, string][] = [
  [["sells", "sell"], "apples"],
  [["mends", "mend"], "nets"],
  [["feeds", "feed"], "the hens"],
  [["sweeps", "sweep"], "the streets"],
  [["carries", "carry"], "the water"],
];

const TELLS: readonly Forms[] = [["says", "say"], ["thinks", "think"], ["is sure", "are sure"], [
  "swears",
  "swear",
]];

/** A glance at the surroundings, in the past tense: "The lamp that stood between the gates was painted blue". */
export function scenery(random: Random): Agreement {
  const kind = random.pick(KINDS);
  const number = random.below(2) as 0 | 1;
  const subject = `The ${random.pick(kind.nouns)[number]} ${random.pick(kind.clauses)(random)}`;
  return { subject, verb: WAS[number], wrong: WAS[1 - number as 0 | 1], rest: random.pick(kind.ends) };
}

/** What some people claim, in the present tense: "The woman who sells apples near the wells says that ...". */
export function rumor(random: Random, that: string): Agreement {
  const number = random.below(2) as 0 | 1;
  const [does, what] = random.pick(TRADES);
  const clause = random.chance(0.5) ? near(random) : `who ${does[number]} ${what} ${near(random)}`;
  const tells = random.pick(TELLS);
  return {
    subject: `The ${random.pick(PEOPLE)[number]} ${clause}`,
    verb: tells[number],
    wrong: tells[1 - number as 0 | 1],
    rest: `that ${that}`,
  };
}

/** The sentence without its full stop. */
export function say({ subject, verb, rest }: Agreement): string {
  return `${subject} ${verb} ${rest}`;
}

/** `n` minimal pairs in the language of the stories; the same seed gives the same pairs. */
export function grammarPairs(seed: number, n: number): GrammarPair[] {
  const random = new Random(seed, GRAMMAR_STREAM);
  return Array.from({ length: n }, () => {
    const sentence = random.chance(0.75) ? scenery(random) : rumor(random, "it will rain");
    return { good: `${say(sentence)}.`, bad: `${say({ ...sentence, verb: sentence.wrong })}.` };
  });
}

/** Keeps the pairs apart from the stories of the same seed, whose streams are numbered from 0. */
const GRAMMAR_STREAM = 0xffffffff;

function either(random: Random, nouns: readonly Forms[]): string {
  return random.pick(random.pick(nouns));
}
