/**
 * Added tokens: whole strings that are found in the text before anything else.
 *
 * Special ones are not found: their text inside a document is text, so that no document can end itself. This is what
 * `tokenizers` does when `encode_special_tokens` is set; a special token that is met still hides what it overlaps.
 */
import type { Normalize } from "./normalizer.ts";

/** A token of `added_tokens`. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  /** Whether it is looked for after the text was normalised, in its own normalised form, or before. */
  readonly normalized: boolean;
}

/** A stretch of text, or the id of an added token that stood between stretches. */
export type Piece = string | number;

/** Cuts text at added tokens and normalises what lies between; undefined where text can stay as it is. */
export function cutter(
  tokens: readonly AddedToken[],
  normalize: Normalize | undefined,
): ((text: string) => Piece[]) | undefined {
  if (!normalize && tokens.every(({ special }) => special)) return undefined;
  const change = normalize ?? ((text) => text);
  const before = finder(tokens.filter(({ normalized }) => !normalized), (content) => content);
  const after = finder(tokens.filter(({ normalized }) => normalized), change);
  return (text) => onText(before(text), (stretch) => after(change(stretch)));
}

const onText = (pieces: readonly Piece[], cut: (text: string) => Piece[]): Piece[] =>
  pieces.flatMap((piece) => typeof piece === "string" ? cut(piece) : [piece]);

/** Cuts text at the tokens: the leftmost first, of those that begin in one place the longest. */
function finder(tokens: readonly AddedToken[], form: Normalize): (text: string) => Piece[] {
  const known = new Map(tokens.map((token) => [form(token.content), token]));
  known.delete("");
  if (known.size === 0) return (text) => [text];
  const longestFirst = [...known.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((content) => RegExp.escape(content)).join("|"), "gu");
  return (text) => {
    const pieces: Piece[] = [];
    let start = 0;
    for (const { 0: found, index } of text.matchAll(pattern)) {
      const { special, id } = known.get(found)!;
      if (special) continue;
      if (index > start) pieces.push(text.slice(start, index));
      pieces.push(id);
      start = index + found.length;
    }
    if (start < text.length) pieces.push(text.slice(start));
    return pieces;
  };
}
