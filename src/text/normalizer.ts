/** The normaliser of a tokenizer.json: Unicode forms, lower case, replacing and prepending strings. */
import { z } from "zod";
import { UserError } from "../stage/errors.ts";

/** Changes text before it is cut into pieces. */
export type Normalize = (text: string) => string;

const schema = z.discriminatedUnion("type", [
  z.object({ type: z.enum(["NFC", "NFD", "NFKC", "NFKD"]) }),
  z.object({ type: z.literal("Lowercase") }),
  z.object({ type: z.literal("Prepend"), prepend: z.string() }),
  z.object({
    type: z.literal("Replace"),
    pattern: z.object({ String: z.string().min(1) }),
    content: z.string(),
  }),
]);

const sequence = z.object({ type: z.literal("Sequence"), normalizers: z.array(z.unknown()) });
const anything = z.object({ type: z.string() });

/**
 * The function of a normaliser; undefined where there is none.
 *
 * @throws {UserError} which names what is not known here
 */
export function normalizer(json: unknown): Normalize | undefined {
  if (json === null || json === undefined) return undefined;
  const whole = sequence.safeParse(json);
  if (whole.success) {
    const parts = whole.data.normalizers.map(normalizer).filter((part) => part !== undefined);
    return parts.length === 0 ? undefined : (text) => parts.reduce((result, part) => part(result), text);
  }
  const part = schema.safeParse(json);
  if (part.success) return single(part.data);
  const named = anything.safeParse(json);
  const name = named.success ? named.data.type : "without a type";
  const which = name === "Replace" ? "Replace by a regular expression" : name;
  throw new UserError(
    `its normalizer is ${which}, and only NFC, NFD, NFKC, NFKD, Lowercase, Prepend and Replace by a string are known here`,
  );
}

function single(part: z.output<typeof schema>): Normalize {
  switch (part.type) {
    case "Lowercase":
      // Character by character: as a whole, a last sigma would be another letter.
      return (text) => Array.from(text, (character) => character.toLowerCase()).join("");
    case "Prepend":
      return (text) => text === "" ? "" : part.prepend + text;
    case "Replace":
      return (text) => text.replaceAll(part.pattern.String, () => part.content);
    default:
      return (text) => text.normalize(part.type);
  }
}
