/**
 * Small English stories from a grammar: the text of the quick start, so that it needs no download.
 *
 * Somebody wants something, meets an obstacle, is helped, and all ends well. Names and objects are drawn anew
 * for each story and come back in it (so that copying from the context pays off), verbs agree with subjects some
 * words away, and the kinds of sentences are few, so that a small model has a chance within a megabyte.
 * ASCII; a paragraph is a line; no blank lines. Made for measuring, not for reading aloud.
 */

import { rumor, say, scenery } from "./grammar.ts";
import { Random } from "./random.ts";

/** The story of this number, 0 and up: a title and some paragraphs, each ended by a line break. */
export function story(seed: number, index: number): string {
  const random = new Random(seed, index);
  const hero = person(random, ["girl", "boy"], []);
  const helper = random.chance(0.5) ? stranger(random, [hero.name]) : animal(random);
  const { wanted, title, want, ask, known, found, end } = random.pick(PLOTS)(random, hero, helper);
  const tale: Tale = { random, hero, helper, wanted, obstacle: random.pick(OBSTACLES)(hero, helper) };
  const paragraphs = [
    `${hero.full} and the ${capitals(title)}`,
    `${random.pick(OPENINGS)(tale, village(random))} ${random.pick(HABITS)(tale)} ${glance(random)}`,
    want,
    ...random.pick(ADVICE)(tale, ask, known),
    `${glance(random)} ${random.pick(DEPARTURES)(tale)} ${tale.obstacle.there} ${tale.obstacle.attempt}`,
    ...random.pick(MEETINGS)(tale),
    `${tale.obstacle.solution} ${found}`,
    ...random.pick(THANKS)(tale),
    `${random.pick(RETURNS)(tale)} ${glance(random)} ${end} ${random.pick(MORALS)(tale)}`,
  ];
  return paragraphs.join("\n") + "\n";
}

/** Somebody in a story, and the words for somebody of that sex. */
interface Person {
  /** "girl", "boy", or a trade. */
  readonly kind: string;
  /** "Clara": what others call them. */
  readonly name: string;
  /** "Clara Fernbrook", or "Pebble the goose". */
  readonly full: string;
  readonly he: string;
  readonly him: string;
  readonly his: string;
}

/** Somebody who comes along when help is needed. */
interface Helper extends Person {
  /** "an old baker named Rufus Oakham": for the first meeting. */
  readonly intro: string;
}

interface Obstacle {
  /** What is in the way. */
  readonly there: string;
  /** What the hero tries in vain. */
  readonly attempt: string;
  /** How the hero puts it: "the path is under water". */
  readonly complaint: string;
  /** What the helper does about it. */
  readonly solution: string;
}

/** A goal, from the wish to its end. Whole sentences unless said otherwise. */
interface Plot {
  /** What the hero is after, with an article or a possessive: "the red lantern". */
  readonly wanted: string;
  /** The same for the title, bare: "red lantern". */
  readonly title: string;
  readonly want: string;
  /** The hero's question. */
  readonly ask: string;
  /** What people say, as a clause: "it is under the stone bridge". */
  readonly known: string;
  readonly found: string;
  readonly end: string;
}

interface Tale {
  readonly random: Random;
  readonly hero: Person;
  readonly helper: Helper;
  readonly wanted: string;
  readonly obstacle: Obstacle;
}

// Words. Names have at least two syllables, so that they are several tokens under any tokenizer.

const words = (text: string): readonly string[] => text.trim().split(/\s+/);
const phrases = (text: string): readonly string[] => text.trim().split(/\s*,\s*/);

const GIRLS = words(`
  Agatha Beatrix Clara Delia Elsie Flora Greta Hannah Ida Juniper Katrin Linnet Marta Nora Olive Petra Rosalind
  Sabine Tilda Ursula Vera Willa Yasmin Zora Matilda Cecily Dorothy Esther Mabel Winifred Sofia Amelia`);
const BOYS = words(`
  Alban Bertram Conrad Dunstan Edmund Felix Gilbert Hector Ivo Jasper Kaspar Lorenz Magnus Nestor Oscar Quentin
  Rufus Silas Tobias Ulric Victor Walter Anselm Barnaby Corin Matthias Edgar Harold Lionel Roland Simon Adam`);
const SURNAME_STARTS = words(`
  Ash Bram Copper Dun Elder Fern Green Hazel Kings Lamb Maple Nettle Oak Penny Quill Rook Stone Thistle Under Willow`);
const SURNAME_ENDS = words(
  "brook bury combe dale field ford grove ham hill ley ton well wick wood worth bank",
);
const VILLAGE_STARTS = words("Marl Crane Otter Winter Summer Salt Silver Raven");
const VILLAGE_ENDS = words("by mouth stead moor haven holm");
const PETS = words("Pebble Button Bramble Clover Pepper Thimble Biscuit Acorn Velvet Cricket Mallow Ember");

const TRADES = phrases(
  "baker, miller, sailor, shepherd, weaver, tinker, gardener, fiddler, potter, blacksmith",
);
const CREATURES = phrases(
  "gray goose, red fox, fat badger, brown donkey, sleek otter, black raven, small hedgehog",
);
const COLORS = words("red blue green golden silver wooden tiny striped old crooked");
const TREASURES = words(
  "lantern kettle whistle fiddle drum basket compass umbrella blanket mirror teapot hat",
);
const YOUNG = phrases("white lamb, brown foal, black kitten, spotted calf, yellow duckling, gray puppy");
const RELATIVES = phrases("grandmother, grandfather, mother, father");
const DAYS = phrases("morning, cold morning, windy morning, summer evening, evening, rainy day, market day");
const DEADLINES = phrases(
  "before dark, before supper, before the feast, before the snow comes, before sunrise",
);
const CORNERS = phrases(`
  under the stone bridge, behind the old mill, at the bottom of the dry well, in the tall grass by the pond,
  on top of the round tower, inside the hollow oak, among the reeds, in the cave above the sea`);
const HOUSES = phrases(`
  at the top of the hill, on the far side of the wood, in the little house by the pond, beyond the stone bridge,
  at the end of the long road, in the tower by the sea`);
const MEALS = phrases("soup, honey cakes, warm bread, plum pie, pancakes, roast apples");

/** The name of somebody in a story, as often as it stands there: the first name, with the surname if that follows. */
export const NAME = new RegExp(
  `\\b(${[...GIRLS, ...BOYS, ...PETS].join("|")})\\b` +
    `(?: (?:${SURNAME_STARTS.join("|")})(?:${SURNAME_ENDS.join("|")})\\b)?`,
  "g",
);

// People.

const FEMALE = { he: "she", him: "her", his: "her" };
const MALE = { he: "he", him: "him", his: "his" };

/**
 * @param kinds What she is, what he is.
 * @param taken Names that others in the story have.
 */
function person(random: Random, kinds: readonly [string, string], taken: readonly string[]): Person {
  const girl = random.chance(0.5);
  const name = other(random, girl ? GIRLS : BOYS, taken);
  const full = `${name} ${random.pick(SURNAME_STARTS)}${random.pick(SURNAME_ENDS)}`;
  return { kind: kinds[girl ? 0 : 1], name, full, ...(girl ? FEMALE : MALE) };
}

function stranger(random: Random, taken: readonly string[]): Helper {
  const trade = random.pick(TRADES);
  const helper = person(random, [trade, trade], taken);
  return {
    ...helper,
    intro: `${random.pick(["an old", "a young", "a tall"])} ${trade} named ${helper.full}`,
  };
}

function animal(random: Random): Helper {
  const creature = random.pick(CREATURES);
  const kind = creature.slice(creature.indexOf(" ") + 1);
  const name = random.pick(PETS);
  const intro = `a ${creature} named ${name}`;
  return { kind, name, full: `${name} the ${kind}`, intro, ...(random.chance(0.5) ? FEMALE : MALE) };
}

/** One of the names that is not taken. */
function other(random: Random, names: readonly string[], taken: readonly string[]): string {
  for (;;) {
    const name = random.pick(names);
    if (!taken.includes(name)) return name;
  }
}

const village = (random: Random) => random.pick(VILLAGE_STARTS) + random.pick(VILLAGE_ENDS);

// Plots: the goal and how it is reached.

const PLOTS: readonly ((random: Random, hero: Person, helper: Person) => Plot)[] = [
  search,
  delivery,
  repair,
  rescue,
];

function search(random: Random, { name, he, him, his }: Person): Plot {
  const thing = `${random.pick(COLORS)} ${random.pick(TREASURES)}`;
  const place = random.pick(CORNERS);
  const giver = random.pick(RELATIVES);
  const day = random.pick(DAYS);
  const loss = random.pick([
    `The thing that ${name} loved most was ${
      a(thing)
    }, a gift from ${his} ${giver}. But one ${day} the ${thing} was gone.`,
    `${name} had ${
      a(thing)
    } and took it everywhere. One ${day} ${he} looked for the ${thing}, and it was not there.`,
    `One ${day} ${name} lost the ${thing} that ${his} ${giver} had given ${him}.`,
  ]);
  return {
    wanted: `my ${thing}`,
    title: thing,
    want: `${loss} "I must find it ${random.pick(DEADLINES)}," said ${name}.`,
    ask: `Have you seen my ${thing}?`,
    known: `it is ${place}`,
    found: random.pick([
      `And there, ${place}, lay the ${thing}.`,
      `There was the ${thing}, ${place}, as good as new.`,
    ]),
    end: `${name} put the ${thing} beside ${his} bed and slept well.`,
  };
}

function delivery(random: Random, { name, he, his }: Person, helper: Person): Plot {
  const thing = `${random.pick(COLORS)} ${random.pick(TREASURES)}`;
  const place = random.pick(HOUSES);
  const [relative, names, she] = random.pick(KIN);
  const kin = `${relative} ${other(random, names, [name, helper.name])}`;
  const addressed = capital(kin);
  const day = random.pick(DAYS);
  const errand = random.pick([
    `One ${day} ${his} mother gave ${name} ${a(thing)}. "Take the ${thing} to your ${kin}," she said.`,
    `One ${day} a letter came from ${his} ${kin}. "Please bring me the ${thing}," it said.`,
    `One ${day} ${name} found ${a(thing)} in the attic. "That is for your ${kin}," said ${his} father.`,
  ]);
  return {
    wanted: `the ${thing} for my ${kin}`,
    title: thing,
    want: `${errand} "I will be there ${random.pick(DEADLINES)}," said ${name}.`,
    ask: `Where does my ${kin} live?`,
    known: `${she} lives ${place}`,
    found: random.pick([
      `And there, ${place}, stood ${addressed}. "My ${thing}!" cried ${addressed}.`,
      `${addressed} lived ${place}. ${capital(she)} opened the door, took the ${thing} and laughed.`,
    ]),
    end: `${addressed} kept the ${thing} by the window, and ${he} could see it from the road.`,
  };
}

function repair(random: Random, { name, he, his }: Person): Plot {
  const [work, stopped, part, runs] = random.pick(WORKS);
  const place = random.pick(CORNERS);
  const day = random.pick(DAYS);
  return {
    wanted: a(part),
    title: part,
    want: random.pick([
      `One ${day} the ${work} ${stopped}, and nobody knew what to do.`,
      `One ${day} there was a loud crack. The ${work} ${stopped}.`,
      `All the people were sad, for the ${work} ${stopped}.`,
    ]) + ` "I can mend it ${random.pick(DEADLINES)}, but I need ${a(part)}," said ${name}.`,
    ask: `Where can I find ${a(part)}?`,
    known: `one lies ${place}`,
    found: random.pick([
      `And there, ${place}, lay the ${part}.`,
      `${name} found the ${part} ${place} and put it into ${his} bag.`,
    ]),
    end:
      `All the people watched as ${name} set the ${part} in its place. Then ${he} stepped back, and the ${work} ${runs}.`,
  };
}

function rescue(random: Random, { name, he, his }: Person, helper: Person): Plot {
  const creature = random.pick(YOUNG);
  const place = random.pick(CORNERS);
  const pet = other(random, PETS, [helper.name]);
  const day = random.pick(DAYS);
  return {
    wanted: `${pet}, my ${creature}`,
    title: creature,
    want: random.pick([
      `${name} had ${a(creature)} named ${pet}. One ${day} ${pet} ran away.`,
      `One ${day} ${his} ${creature} ${pet} did not come home.`,
      `One ${day} ${name} heard a small cry far away. It was ${pet}, ${his} ${creature}.`,
    ]) + ` "I must bring ${pet} home ${random.pick(DEADLINES)}," said ${name}.`,
    ask: `Have you seen ${pet}, my ${creature}?`,
    known: `${pet} is ${place}`,
    found: random.pick([
      `And there, ${place}, sat ${pet}, wet and hungry.`,
      `There was ${pet}, ${place}! The ${creature} jumped into the arms of ${name}.`,
    ]),
    end: `${pet} slept beside the fire, and ${he} sang the ${creature} a song.`,
  };
}

const KIN: readonly (readonly [relative: string, names: readonly string[], he: string])[] = [
  ["aunt", GIRLS, "she"],
  ["uncle", BOYS, "he"],
];

/** What breaks, how, the part that mends it, and what it does once it is mended. */
const WORKS: readonly (readonly [work: string, stopped: string, part: string, runs: string])[] = [
  ["clock on the tower", "had stopped", "copper spring", "ticked again"],
  ["great bell", "had fallen down", "iron hook", "rang again"],
  ["wheel of the mill", "had stopped", "wooden tooth", "turned again"],
  ["bridge over the stream", "had broken", "long rope", "held again"],
  ["lamp in the lighthouse", "had gone out", "round mirror", "shone again"],
  ["organ in the church", "had fallen silent", "leather strap", "played again"],
];

const OBSTACLES: readonly ((hero: Person, helper: Person) => Obstacle)[] = [
  ({ name, he }, helper) => ({
    there: "But the river had risen over the path.",
    attempt: `${name} wanted to jump across, but ${he} saw that the water was too wide.`,
    complaint: "the path is under water",
    solution: `${helper.name} pulled a long plank out of the reeds, and they walked across the water.`,
  }),
  ({ name, his }, helper) => ({
    there: "But a thick fog came down from the hills.",
    attempt: `${name} took ten steps and could not see ${his} own shoes.`,
    complaint: "the fog has hidden the road",
    solution: `${helper.name} lit a candle and walked in front, and soon the fog was behind them.`,
  }),
  ({ name, his }, helper) => ({
    there: "But the gate was locked with a rusty chain.",
    attempt: `${name} pulled at the chain until ${his} hands hurt.`,
    complaint: "the gate is locked",
    solution: `${helper.name} found the key under a flat stone, and the gate swung open.`,
  }),
  ({ name, his }, helper) => ({
    there: "But a hedge of thorns stood in the way.",
    attempt: `${name} pushed with both arms, and the thorns tore ${his} sleeves.`,
    complaint: "the thorns are too thick",
    solution: `${helper.name} knew a tunnel under the hedge, and they crawled through it.`,
  }),
  ({ name, he }, helper) => ({
    there: "But a huge dog lay across the path.",
    attempt: `${name} tried to creep past, but the dog growled and ${he} ran back.`,
    complaint: "the dog will not let me pass",
    solution: `${helper.name} threw the dog a piece of cheese, and it wagged its tail and let them pass.`,
  }),
  ({ name, he }, helper) => ({
    there: "But soon the road split into three.",
    attempt: `${name} took the left one, and after an hour ${he} was back at the same tree.`,
    complaint: "I do not know which road to take",
    solution: `${helper.name} looked at the moss on the trees and chose the road in the middle.`,
  }),
  ({ name, he }, helper) => ({
    there: "But the hill was covered with ice.",
    attempt: `${name} climbed three times, and three times ${he} slid down again.`,
    complaint: "the hill is too slippery",
    solution: `${helper.name} scattered sand on the ice, and step by step they climbed the hill.`,
  }),
  ({ name, he }, helper) => ({
    there: "But the bridge had fallen in the storm.",
    attempt: `${name} threw a stone into the gap, and ${he} did not hear it land.`,
    complaint: "the bridge is gone",
    solution: `${helper.name} tied a rope between two trees, and they went over hand in hand.`,
  }),
];

// Sentences and paragraphs that every plot shares.

const OPENINGS: readonly ((tale: Tale, village: string) => string)[] = [
  ({ hero }, village) =>
    `Once upon a time there was a ${hero.kind} named ${hero.full}, who lived in ${village}.`,
  ({ hero }, village) =>
    `Long ago, in the village of ${village}, there lived a ${hero.kind} named ${hero.full}.`,
  ({ hero }, village) =>
    `In ${village} everyone knew ${hero.full}, the youngest ${hero.kind} in the village.`,
  ({ hero }, village) => `A ${hero.kind} named ${hero.full} lived at the edge of ${village}.`,
];

const HABITS: readonly ((tale: Tale) => string)[] = [
  ({ hero }) => `${hero.name} never walked when ${hero.he} could run.`,
  ({ hero }) => `${hero.name} liked to ask questions.`,
  ({ hero }) => `${hero.name} was not afraid of the dark.`,
  ({ hero }) => `Every day ${hero.name} sang to ${hero.his} hens.`,
  ({ hero }) => `${capital(hero.he)} could whistle any tune.`,
  ({ hero }) => `${capital(hero.he)} kept ${hero.his} pockets full of string.`,
];

/** The question, and what somebody has heard: two paragraphs. */
const ADVICE: readonly ((tale: Tale, ask: string, known: string) => [string, string])[] = [
  ({ random, hero }, ask, known) => {
    const neighbor = random.pick(TRADES);
    return [
      `${hero.name} went to the ${neighbor}. "${ask}" asked ${hero.name}.`,
      `"${say(rumor(random, known, false))}," said the ${neighbor}.`,
    ];
  },
  ({ random, hero }, ask, known) => {
    const relative = random.pick(RELATIVES);
    return [
      `"${ask}" ${hero.name} asked ${hero.his} ${relative}.`,
      `"I do not know," said ${hero.his} ${relative}. "${say(rumor(random, known, false))}."`,
    ];
  },
  ({ random, hero }, ask, known) => [
    `"${ask}" ${hero.he} called from door to door.`,
    `"${say(rumor(random, known, false))}," a voice called back. "Good luck, ${hero.full}!"`,
  ],
];

const DEPARTURES: readonly ((tale: Tale) => string)[] = [
  ({ hero }) => `So ${hero.name} put on ${hero.his} coat and set out.`,
  ({ random, hero }) => `${hero.name} packed some ${random.pick(MEALS)} and left the village.`,
  ({ hero }) => `At once ${hero.full} ran down the road.`,
  ({ hero }) => `${hero.name} thanked them and hurried off.`,
];

/** How hero and helper meet, and what they say. */
const MEETINGS: readonly ((tale: Tale) => string[])[] = [
  ({ hero, helper, wanted, obstacle }) => [
    `Just then ${helper.intro} came along. "Why are you so sad, ${hero.name}?" asked ${helper.name}.`,
    `"I need ${wanted}, but ${obstacle.complaint}," said ${hero.name}.`,
    `"Then let me help you," said ${helper.name}.`,
  ],
  ({ hero, helper, wanted, obstacle }) => [
    `${hero.name} sat down on a stone and cried. "Who is crying there?" asked a voice. It was ${helper.intro}.`,
    `"I am ${hero.full}, and I need ${wanted}," said ${hero.name}. "But ${obstacle.complaint}."`,
    `"We will see about that," said ${helper.name}.`,
  ],
  ({ hero, helper, obstacle }) => [
    `"Is anybody there?" called ${hero.name}. "I cannot go on, for ${obstacle.complaint}!"`,
    `Out of the bushes came ${helper.intro}. "Two can do what one cannot," said ${helper.name}.`,
  ],
];

const THANKS: readonly ((tale: Tale) => string[])[] = [
  ({ hero, helper }) => [
    `"Thank you, ${helper.name}," said ${hero.name}.`,
    `"You are welcome, ${hero.full}," said ${helper.name}.`,
  ],
  ({ hero, helper }) => [`"I will never forget this, ${helper.full}," said ${hero.full}.`],
  ({ hero, helper }) => [
    `${hero.name} danced for joy, and ${helper.name} danced with ${hero.him}.`,
    `"Come home with me, ${helper.name}," said ${hero.name}, and ${helper.name} did.`,
  ],
];

const RETURNS: readonly ((tale: Tale) => string)[] = [
  ({ hero }) => `The sun went down when ${hero.name} came back to the village.`,
  ({ random, hero, helper }) =>
    `That night ${hero.name} and ${helper.name} ate ${random.pick(MEALS)} with the whole village.`,
  ({ random, hero }) =>
    `At home ${hero.his} ${random.pick(RELATIVES)} had made ${random.pick(MEALS)} for ${hero.full}.`,
];

const MORALS: readonly ((tale: Tale) => string)[] = [
  ({ hero, helper }) => `From that day on ${hero.name} and ${helper.name} were the best of friends.`,
  ({ hero }) => `And ${hero.full} never forgot that it is no shame to ask for help.`,
  ({ helper }) => `And if ${helper.full} has not moved away, they are still friends today.`,
  ({ hero, helper }) =>
    `"A friend is worth more than gold," ${hero.name} told ${helper.name}, and it was true.`,
];

// Small words.

const glance = (random: Random) => `${say(scenery(random, false))}.`;

/** The words behind "a" or "an". */
const a = (thing: string) => `${/^[aeiou]/.test(thing) ? "an" : "a"} ${thing}`;

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const capitals = (text: string) => text.split(" ").map(capital).join(" ");
