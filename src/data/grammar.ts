/**
 * Sentences whose verb agrees with a subject that stands some words before it, with another noun in between:
 * "The boys near the well were asleep". The stories are sprinkled with them, and each comes with its wrong twin.
 */

import { drawOnSide } from "./held_out.ts";
import { Random } from "./random.ts";

/** What stands between subject and verb, or which verbs agree. */
export const RULES = ["preposition", "relative clause", "object clause", "present tense"] as const;
export type Rule = typeof RULES[number];

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
  readonly rule: Rule;
  /** Whether the noun between subject and verb has the other number: going by the nearest noun is wrong then. */
  readonly misleads: boolean;
}

/** Two sentences that differ in the number of one verb. */
export interface GrammarPair extends Pick<Agreement, "rule" | "misleads"> {
  readonly good: string;
  readonly bad: string;
}

/** Singular and plural. */
type Forms = readonly [string, string];
/** Index in {@link Forms}. */
type GrammaticalNumber = 0 | 1;

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

/** What stands between a subject and its verb. */
interface Clause {
  readonly rule: Rule;
  readonly words: string;
  /** Of the noun in it. */
  readonly number: GrammaticalNumber;
}

/** A clause around one of some nouns, in a number that is drawn unless it is given. */
function clause(rule: Rule, before: string, nouns: readonly Forms[], after = "", given?: GrammaticalNumber) {
  return (random: Random): Clause => {
    const forms = random.pick(nouns);
    const number = given ?? drawNumber(random);
    return { rule, words: `${before} ${forms[number]}${after}`, number };
  };
}

const near = (random: Random): Clause => clause("preposition", `${random.pick(NEAR)} the`, PLACES)(random);

const drawNumber = (random: Random) => random.below(2) as GrammaticalNumber;

/** A noun with the sentences that it may head: what may stand before its verb, and ends after "was" or "were". */
interface Kind {
  readonly nouns: readonly Forms[];
  readonly clauses: readonly ((random: Random) => Clause)[];
  readonly ends: readonly string[];
}

const KINDS: readonly Kind[] = [
  {
    nouns: PEOPLE,
    clauses: [
      near,
      near,
      clause("relative clause", "who had come from the", PLACES),
      clause("relative clause", "who waited for the", PEOPLE),
      clause("object clause", "whom the", PEOPLE, " knew"),
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
      clause("relative clause", "that belonged to the", PEOPLE),
      clause("relative clause", "that followed the", PEOPLE),
    ],
    ends: ["asleep in the sun", "looking for food", "quiet for once", "not afraid of anyone"],
  },
  {
    nouns: THINGS,
    clauses: [
      near,
      near,
      clause("relative clause", "that belonged to the", PEOPLE),
      clause("relative clause", "that stood between the", PLACES, "", 1),
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

/**
 * A glance at the surroundings, in the past tense: "The lamp that stood between the gates was painted blue".
 *
 * @param heldOut Whether its subject is one that no training text has.
 */
export function scenery(random: Random, heldOut: boolean): Agreement {
  return drawOnSide(heldOut, () => {
    const kind = random.pick(KINDS);
    const number = drawNumber(random);
    const noun = random.pick(kind.nouns)[number];
    const between = random.pick(kind.clauses)(random);
    return agreement(`The ${noun} ${between.words}`, WAS, random.pick(kind.ends), number, between);
  }, ({ subject }) => subject);
}

/**
 * What some people claim, in the present tense: "The woman who sells apples near the wells says that ...".
 *
 * @param heldOut Whether its subject is one that no training text has.
 */
export function rumor(random: Random, that: string, heldOut: boolean): Agreement {
  return drawOnSide(heldOut, () => {
    const number = drawNumber(random);
    const [does, what] = random.pick(TRADES);
    const trade = random.chance(0.5) ? "" : `who ${does[number]} ${what} `;
    const place = near(random);
    const subject = `The ${random.pick(PEOPLE)[number]} ${trade}${place.words}`;
    return agreement(subject, random.pick(TELLS), `that ${that}`, number, {
      ...place,
      rule: "present tense",
    });
  }, ({ subject }) => subject);
}

/** The sentence without its full stop. */
export function say({ subject, verb, rest }: Agreement): string {
  return `${subject} ${verb} ${rest}`;
}

/**
 * Minimal pairs in the language of the stories, without end; the same seed gives the same pairs. Their subjects stand
 * in no training text.
 */
export function* grammarPairs(seed: number): Generator<GrammarPair> {
  for (const random = new Random(seed, GRAMMAR_STREAM);;) {
    const sentence = random.chance(0.75) ? scenery(random, true) : rumor(random, "it will rain", true);
    const { rule, misleads } = sentence;
    yield {
      rule,
      misleads,
      good: `${say(sentence)}.`,
      bad: `${say({ ...sentence, verb: sentence.wrong })}.`,
    };
  }
}

/** Keeps the pairs apart from the stories of the same seed, whose streams are numbered from 0. */
const GRAMMAR_STREAM = 0xffffffff;

function agreement(
  subject: string,
  verbs: Forms,
  rest: string,
  number: GrammaticalNumber,
  between: Clause,
): Agreement {
  const [verb, wrong] = number === 0 ? verbs : [verbs[1], verbs[0]];
  return { subject, verb, wrong, rest, rule: between.rule, misleads: between.number !== number };
}
