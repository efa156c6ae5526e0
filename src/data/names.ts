/**
 * The stories with every name replaced by a random one of two tokens, drawn anew for each story: "Q7". Nothing but the
 * story itself tells what follows "Q", so that a model which gets it right has learnt to look it up: induction, as
 * Gloeckle et al. 2024 measure it (section 4.1, children's stories with names of two tokens).
 *
 * A name is a capital and a digit. Those are two bytes; and two tokens of every byte-level BPE whose pattern parts
 * letters from digits, as those of GPT-2, GPT-4 and Llama 3 do (the space before a name goes with the capital). In
 * running text no other word begins with one of these capitals and no digit stands elsewhere, so that each capital
 * announces a digit; and within a story no two names share their capital, so that it says which.
 */

import { drawOnSide } from "./held_out.ts";
import { Random } from "./random.ts";
import { NAME, story } from "./stories.ts";

/** First tokens of names. */
export const CAPITALS = [..."DKNQVXZ"];
/** Second tokens of names; each is as likely as another after any capital: a guess is right one time in ten. */
export const DIGITS = [..."0123456789"];

/** A story with names of two tokens. @param heldOut Whether its title is one that no training text has. */
export function namedStory(seed: number, index: number, heldOut = false): string {
  const text = story(seed, index);
  const random = new Random(seed, index, NAMES_STREAM);
  const people = [...new Set([...text.matchAll(NAME)].map(([, name]) => name!))];
  const title = text.slice(0, text.indexOf("\n"));
  const names = drawOnSide(heldOut, () => namesOf(people, random), (names) => renamed(title, names));
  return renamed(text, names);
}

/** Keeps the names' draws apart from those of the story. */
const NAMES_STREAM = 1;

/** A new name for each: no two share their capital. */
function namesOf(people: readonly string[], random: Random): ReadonlyMap<string, string> {
  const capitals = [...CAPITALS];
  return new Map(people.map((person) => {
    const [capital] = capitals.splice(random.below(capitals.length), 1);
    return [person, capital + random.pick(DIGITS)];
  }));
}

const renamed = (text: string, names: ReadonlyMap<string, string>) =>
  text.replaceAll(NAME, (_, person: string) => names.get(person)!);
