/** The pre-tokenizer of a tokenizer.json as steps: ByteLevel, Split and Digits, alone or in a sequence. */
import { UserError } from "../stage/errors.ts";
import { z } from "zod";
import { CharSet } from "./char_set.ts";
import { type Branches, literalPattern, parsePattern, PatternError } from "./pattern.ts";
import type { Step } from "./program.ts";

/** GPT-2's pattern, which is ByteLevel's own. */
export const GPT2_PATTERN = String
  .raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** GPT-4's pattern, as Llama 3 writes it. */
export const GPT4_PATTERN = String
  .raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const schema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("ByteLevel"),
    add_prefix_space: z.boolean().default(true),
    use_regex: z.boolean().default(true),
  }),
  z.object({ type: z.literal("Digits"), individual_digits: z.boolean() }),
  z.object({
    type: z.literal("Split"),
    pattern: z.union([z.object({ Regex: z.string() }), z.object({ String: z.string().min(1) })]),
    behavior: z.string(),
    invert: z.boolean().default(false),
  }),
]);

const sequence = z.object({ type: z.literal("Sequence"), pretokenizers: z.array(z.unknown()) });
const anything = z.object({ type: z.string() });

/**
 * Steps of a pre-tokenizer.
 *
 * @throws {UserError} which names what is not known here, or says that there is no ByteLevel
 */
export function preTokenizerSteps(json: unknown): Step[] {
  const parts = flatten(json);
  if (parts.at(-1)?.type !== "ByteLevel") {
    throw new UserError(
      parts.length === 0
        ? "it has no pre-tokenizer, so it is not byte-level"
        : "its pre-tokenizer does not end in ByteLevel, so it is not byte-level",
    );
  }
  return parts.flatMap((part, i) => {
    if (part.type === "ByteLevel" && i < parts.length - 1) {
      throw new UserError(
        `its pre-tokenizer has ${parts[i + 1]!.type} after ByteLevel, which is not known here`,
      );
    }
    return stepsOf(part);
  });
}

type Part = z.output<typeof schema>;

function flatten(json: unknown): Part[] {
  if (json === null || json === undefined) return [];
  const whole = sequence.safeParse(json);
  if (whole.success) return whole.data.pretokenizers.flatMap(flatten);
  const part = schema.safeParse(json);
  if (part.success) return [part.data];
  const named = anything.safeParse(json);
  const name = named.success ? named.data.type : "without a type";
  const known = schema.options.some(({ shape }) => shape.type.value === name);
  const { path, message } = part.error.issues[0]!;
  throw new UserError(
    known
      ? `its pre-tokenizer ${name} is malformed (${path.join(".")}: ${message})`
      : `its pre-tokenizer is ${name}, and only ByteLevel, Split and Digits are known here`,
  );
}

function stepsOf(part: Part): Step[] {
  if (part.type === "Digits") return [digits(part.individual_digits)];
  if (part.type === "Split") return [split(part)];
  const steps: Step[] = part.add_prefix_space ? [{ kind: "space" }] : [];
  if (part.use_regex) steps.push({ kind: "pattern", branches: parsePattern(GPT2_PATTERN), keepGaps: true });
  return steps;
}

/** Numbers of Unicode 17, which `tokenizers` 0.23 takes for digits and this JavaScript engine not yet. */
const NEW_NUMBERS = [CharSet.range(0x11de0, 0x11de9), CharSet.range(0x16ff4, 0x16ff6)];

function digits(individual: boolean): Step {
  const set = CharSet.union([CharSet.category("N")!, ...NEW_NUMBERS]);
  const max = individual ? 1 : Infinity;
  return {
    kind: "pattern",
    branches: [[{ kind: "many", set, min: 1, max, possessive: true }]],
    keepGaps: true,
  };
}

function split({ pattern, behavior, invert }: Part & { readonly type: "Split" }): Step {
  const isolated = behavior === "Isolated";
  // What does not match is taken out: only the matches stay.
  const onlyMatches = behavior === "Removed" && invert;
  if (!isolated && !onlyMatches) {
    const how = invert ? " with invert" : "";
    throw new UserError(
      `its pre-tokenizer Split has the behavior ${behavior}${how}, and only Isolated is known here`,
    );
  }
  return { kind: "pattern", branches: branchesOf(pattern), keepGaps: isolated };
}

function branchesOf(pattern: { Regex: string } | { String: string }): Branches {
  if ("String" in pattern) return literalPattern(pattern.String);
  try {
    return parsePattern(pattern.Regex);
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause;
    throw new UserError(
      `its pre-tokenizer splits by the pattern ${pattern.Regex}, where this is not known here: ${cause.message}`,
      { cause },
    );
  }
}
