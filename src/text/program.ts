/**
 * Compiles the steps of pre-tokenization for the native library: see native/text/splitter.h for the instructions.
 *
 * Characters that no pattern tells apart form a class, so that a set is 64 bits and matching never looks at ranges.
 */
import { UserError } from "../stage/errors.ts";
import { CharSet, CODE_POINTS } from "./char_set.ts";
import type { Branches, Node } from "./pattern.ts";

/** One step: cuts each piece of the step before it into smaller ones. */
export type Step =
  /** `keepGaps`: what no match covers is a piece too; otherwise it is dropped. */
  | { readonly kind: "pattern"; readonly branches: Branches; readonly keepGaps: boolean }
  /** Puts a space before a piece that does not begin with one. */
  | { readonly kind: "space" };

/** What the native library takes. */
export interface Program {
  /** Class of every code point. */
  readonly classes: Uint8Array<ArrayBuffer>;
  readonly steps: Int32Array<ArrayBuffer>;
}

/**
 * Compiles steps.
 *
 * @throws {UserError} for patterns that are larger than any in use
 */
export function compile(steps: readonly Step[]): Program {
  const compiled = steps.map((step) => {
    if (step.kind === "space") return undefined;
    const instructions = compileBranches(step.branches);
    if (instructions.length > MAX_INSTRUCTIONS) throw tooLarge("parts");
    return { keepGaps: step.keepGaps, instructions };
  });
  const sets = new Classes(compiled.flatMap((step) => step?.instructions.map(({ set }) => set) ?? []));
  const numbers = compiled.flatMap((step) => {
    if (!step) return [SPACE_STEP];
    const { keepGaps, instructions } = step;
    return [Number(keepGaps), instructions.length, ...instructions.flatMap((each) => encode(each, sets))];
  });
  return { classes: sets.classes, steps: Int32Array.from(numbers) };
}

const tooLarge = (what: string) =>
  new UserError(
    `Cannot use the tokenizer: its pre-tokenizer's patterns have more ${what} than any known ones`,
  );

const SPACE_STEP = -1;
const MAX_INSTRUCTIONS = 256;

const OP = { accept: 0, one: 1, many: 2, all: 3, absent: 4, fork: 5, jump: 6 } as const;

interface Instruction {
  readonly op: keyof typeof OP;
  /** Undefined: every character, and the end of the text. */
  readonly set?: CharSet | undefined;
  readonly min?: number;
  readonly max?: number;
  target?: number;
}

/** Instructions of a whole pattern: the first branch that fits is the match. */
function compileBranches(branches: Branches): Instruction[] {
  const code: Instruction[] = [];
  branches.forEach((branch, i) => {
    const fork: Instruction = { op: "fork", set: firstOf(branch) };
    const last = i === branches.length - 1;
    if (!last) code.push(fork);
    compileSequence(branch, [], code);
    code.push({ op: "accept" });
    fork.target = code.length;
  });
  return code;
}

/** Instructions of a part of a branch; `after` is what comes behind it in the whole branch. */
function compileSequence(nodes: readonly Node[], after: readonly Node[], code: Instruction[]): void {
  nodes.forEach((node, i) => {
    const rest = [...nodes.slice(i + 1), ...after];
    if (node.kind === "one" || node.kind === "absent") code.push({ op: node.kind, set: node.set });
    else if (node.kind === "group") compileGroup(node, rest, code);
    else {
      const { set, min, max } = node;
      const keeps = node.possessive || keepsAll(set, rest);
      code.push({ op: keeps ? "all" : "many", set, min, max: max === Infinity ? -1 : max });
    }
  });
}

function compileGroup(
  { branches, optional }: Node & { readonly kind: "group" },
  after: readonly Node[],
  code: Instruction[],
): void {
  const leave: Instruction[] = []; // jumps to what follows the group
  branches.forEach((branch, i) => {
    const fork: Instruction = { op: "fork", set: firstOf(branch) };
    const last = i === branches.length - 1;
    if (!last || optional) code.push(fork);
    compileSequence(branch, after, code);
    if (!last) {
      const jump: Instruction = { op: "jump" };
      code.push(jump);
      leave.push(jump);
    }
    fork.target = code.length;
  });
  for (const jump of leave) jump.target = code.length;
}

/** Whether giving back a character of `set` never helps the rest of the pattern to match. */
function keepsAll(set: CharSet, rest: readonly Node[]): boolean {
  if (rest.every(alwaysFits)) return true;
  const first = firstOf(rest);
  return first !== undefined && !first.meets(set);
}

function alwaysFits(node: Node): boolean {
  if (node.kind === "group") return node.optional;
  return node.kind === "many" && node.min === 0;
}

/** What a sequence can begin with; undefined if it may match nothing, or may look ahead first. */
function firstOf(nodes: readonly Node[]): CharSet | undefined {
  const sets: CharSet[] = [];
  for (const node of nodes) {
    if (node.kind === "absent") return undefined;
    if (node.kind === "group") {
      for (const branch of node.branches) {
        const first = firstOf(branch);
        if (!first) return undefined;
        sets.push(first);
      }
    } else sets.push(node.set);
    if (!alwaysFits(node)) return CharSet.union(sets);
  }
  return undefined;
}

/** Bit of the end of the text; below it lie the classes. */
const END_CLASS = 63;

/** The coarsest division of all characters into classes of which every set is a union. */
class Classes {
  readonly classes = new Uint8Array(CODE_POINTS);
  readonly #masks = new Map<CharSet | undefined, bigint>([[undefined, (1n << 64n) - 1n]]);

  constructor(sets: readonly (CharSet | undefined)[]) {
    const distinct = [...new Set(sets)].filter((set) => set !== undefined);
    for (const set of distinct) this.#masks.set(set, 0n);
    // Between two neighbouring bounds of any set all characters are in the same sets.
    const bounds = [...new Set([0, CODE_POINTS, ...distinct.flatMap(({ ranges }) => ranges)])];
    bounds.sort((a, b) => a - b);
    const cursors = distinct.map(() => 0);
    const numbers = new Map<string, number>();
    for (let i = 0; i + 1 < bounds.length; i++) {
      const start = bounds[i]!;
      const members = distinct.filter(({ ranges }, s) => {
        while (cursors[s]! < ranges.length && ranges[cursors[s]!]! <= start) cursors[s]!++;
        return cursors[s]! % 2 === 1;
      });
      const key = members.map((set) => distinct.indexOf(set)).join();
      let number = numbers.get(key);
      if (number === undefined) {
        numbers.set(key, number = numbers.size);
        if (number >= END_CLASS - 1) throw tooLarge("kinds of characters");
        for (const set of members) this.#masks.set(set, this.#masks.get(set)! | 1n << BigInt(number));
      }
      this.classes.fill(number, start, bounds[i + 1]!);
    }
  }

  /** The low and the high half of a set's 64 bits. */
  mask(set: CharSet | undefined): [number, number] {
    const bits = this.#masks.get(set)!;
    return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
  }
}

function encode({ op, set, min = 0, max = 0, target = 0 }: Instruction, sets: Classes): number[] {
  return [OP[op], ...sets.mask(set), min, max, target];
}
