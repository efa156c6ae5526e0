/**
 * The regular expressions of pre-tokenizers: a parser of the part of the language that they are written in.
 *
 * All that are in use have one form: alternatives of characters, sets of them and repetitions, with (?i:...) around
 * contractions and (?!\S) after spaces. That form is parsed here into a tree, program.ts makes instructions of it, and
 * the native library runs these. Anything else is refused by name. What a construct means is what Oniguruma, which the
 * public `tokenizers` library uses, takes it for.
 */
import { CharSet, WHITE_SPACE } from "./char_set.ts";

/** A pattern: what is matched is one of its branches, the first that fits. */
export type Branches = readonly (readonly Node[])[];

/** A part of a branch. */
export type Node =
  /** One character of the set. */
  | { readonly kind: "one"; readonly set: CharSet }
  /** As many characters of the set as there are, `min` to `max`; `possessive`: none is given back. */
  | {
    readonly kind: "many";
    readonly set: CharSet;
    readonly min: number;
    readonly max: number;
    readonly possessive: boolean;
  }
  /** The next character, if there is one, is not of the set. */
  | { readonly kind: "absent"; readonly set: CharSet }
  | { readonly kind: "group"; readonly branches: Branches; readonly optional: boolean };

/** A pattern, or a part of one, that is not of the form; the message names it. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

/**
 * Parses a regular expression.
 *
 * @throws {PatternError} which names what is not of the form
 */
export function parsePattern(source: string): Branches {
  const parser = new Parser(source);
  const branches = parser.branches();
  if (!parser.atEnd) throw new PatternError("a ) without a (");
  refuseEmpty(branches);
  return branches;
}

/** Throws where a branch, also one of a group, can match without taking a character: engines differ in such. */
function refuseEmpty(branches: Branches): void {
  if (branches.some(matchesNothing)) throw new PatternError("a match of no characters");
  for (const node of branches.flat()) if (node.kind === "group") refuseEmpty(node.branches);
}

/** Whether a sequence can match without taking a character. */
function matchesNothing(nodes: readonly Node[]): boolean {
  return nodes.every((node) => {
    if (node.kind === "absent") return true;
    if (node.kind === "group") return node.optional || node.branches.some(matchesNothing);
    return node.kind === "many" && node.min === 0;
  });
}

/** The pattern of which a string is the only match. */
export function literalPattern(text: string): Branches {
  return [Array.from(text, (character) => ({ kind: "one", set: CharSet.of(character) }))];
}

class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  #ignoreCase = false;

  constructor(source: string) {
    this.#characters = Array.from(source);
  }

  get atEnd(): boolean {
    return this.#at === this.#characters.length;
  }

  branches(): Branches {
    const branches = [this.#branch()];
    while (this.#skip("|")) branches.push(this.#branch());
    return branches;
  }

  #branch(): Node[] {
    const nodes: Node[] = [];
    while (!this.atEnd && !this.#sees("|") && !this.#sees(")")) nodes.push(this.#node());
    return nodes;
  }

  #node(): Node {
    if (this.#skip("(?!")) return this.#absent();
    if (this.#skip("(?i:")) return this.#group(true);
    if (this.#skip("(?:")) return this.#group(this.#ignoreCase);
    if (this.#sees("(")) {
      throw this.#refused(/^\(\?<?[=!]/.test(this.#rest()) ? "a look around" : "a plain group");
    }
    return this.#quantified(this.#set());
  }

  /** What comes after `(?!`: one set. */
  #absent(): Node {
    const set = this.#set();
    if (!this.#skip(")")) throw this.#refused("(?! before more than one character");
    return { kind: "absent", set };
  }

  #group(ignoreCase: boolean): Node {
    const outer = this.#ignoreCase;
    this.#ignoreCase = ignoreCase;
    const branches = this.branches();
    this.#ignoreCase = outer;
    if (!this.#skip(")")) throw new PatternError("a ( without a )");
    const optional = this.#skip("?");
    if (/^[?*+{]/.test(this.#rest())) throw this.#refused("a repeated group");
    return { kind: "group", branches, optional };
  }

  #quantified(set: CharSet): Node {
    const [text, sign, least, comma, most] = /^(?:([?*+])|\{(\d+)(,?)(\d*)\})/.exec(this.#rest()) ?? [];
    if (text === undefined) return { kind: "one", set };
    this.#at += text.length;
    const possessive = sign !== undefined && this.#skip("+");
    if (/^[?*+{]/.test(this.#rest())) throw this.#refused("a quantifier after a quantifier");
    const min = sign === undefined ? Number(least) : sign === "+" ? 1 : 0;
    const max = sign === undefined
      ? (comma === "" ? min : most === "" ? Infinity : Number(most))
      : (sign === "?" ? 1 : Infinity);
    if (max < min || max === 0) throw new PatternError(`the quantifier ${text}`);
    return { kind: "many", set, min, max, possessive };
  }

  /** One character, escape or class. */
  #set(): CharSet {
    if (this.atEnd) throw new PatternError("an end in the middle");
    if (this.#skip("[")) return this.#class();
    if (this.#skip("\\")) return this.#escape();
    if (/^[.^$?*+{}\])]/.test(this.#rest())) throw this.#refused(this.#rest()[0]!);
    return this.#cased(this.#next());
  }

  /** What comes after `[`. */
  #class(): CharSet {
    const negative = this.#skip("^");
    const parts: CharSet[] = [];
    while (!this.#skip("]")) {
      if (this.atEnd) throw new PatternError("a [ without a ]");
      if (this.#sees("[") || this.#sees("&&")) throw this.#refused("a class in a class");
      const first = this.#next();
      if (first === "\\" && !/^[\\\]\-nrtfv]/.test(this.#rest())) {
        parts.push(this.#escape());
        continue;
      }
      const from = first === "\\" ? this.#control() : first;
      // A - between two characters; at the end of the class it stands for itself.
      if (!this.#sees("-") || this.#characters[this.#at + 1] === "]") {
        parts.push(this.#cased(from));
        continue;
      }
      this.#next();
      const last = this.#next();
      const to = last === "\\" ? this.#control() : last;
      if (this.#ignoreCase) throw new PatternError(`the range ${from}-${to} in (?i:`);
      if (to.codePointAt(0)! < from.codePointAt(0)!) throw new PatternError(`the range ${from}-${to}`);
      parts.push(CharSet.range(from.codePointAt(0)!, to.codePointAt(0)!));
    }
    const set = CharSet.union(parts);
    return negative ? set.complement() : set;
  }

  /** What comes after `\`. */
  #escape(): CharSet {
    const [property, negative, name] = /^(p|P)\{(\w+)\}/.exec(this.#rest()) ?? [];
    if (property !== undefined) {
      const set = CharSet.category(name!);
      if (!set) throw new PatternError(`\\${property}`);
      this.#at += property.length;
      return negative === "P" ? set.complement() : set;
    }
    if (this.#skip("s")) return WHITE_SPACE;
    if (this.#skip("S")) return WHITE_SPACE.complement();
    if (this.#skip("d")) return CharSet.category("Nd")!;
    if (this.#skip("D")) return CharSet.category("Nd")!.complement();
    return CharSet.of(this.#control());
  }

  /** What comes after `\`, where it stands for one character. */
  #control(): string {
    const character = this.#next();
    const control = CONTROLS[character];
    if (control !== undefined) return control;
    if (/[\p{L}\p{N}]/u.test(character)) throw new PatternError(`\\${character}`);
    return character;
  }

  /** One character, in both cases where case is ignored. */
  #cased(character: string): CharSet {
    if (!this.#ignoreCase) return CharSet.of(character);
    if (character > "\x7f") throw new PatternError(`"${character}" in (?i:`);
    // U+017F and U+212A are the only others that fold to an ASCII letter.
    const same = new RegExp(`^${RegExp.escape(character)}$`, "iu");
    const forms = [character.toLowerCase(), character.toUpperCase(), "\u017f", "\u212a"];
    return CharSet.of(forms.filter((form) => same.test(form)).join(""));
  }

  #rest(): string {
    return this.#characters.slice(this.#at, this.#at + 24).join("");
  }

  #sees(text: string): boolean {
    return this.#rest().startsWith(text);
  }

  #skip(text: string): boolean {
    const found = this.#sees(text);
    if (found) this.#at += text.length;
    return found;
  }

  #next(): string {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new PatternError("an end in the middle");
    return character;
  }

  #refused(what: string): PatternError {
    return new PatternError(`${what} at "${this.#rest().slice(0, 12)}"`);
  }
}

const CONTROLS: Record<string, string> = { n: "\n", r: "\r", t: "\t", f: "\f", v: "\v" };
