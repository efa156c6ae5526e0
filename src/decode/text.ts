/** Tokens back to text, with the places in the text that some of them cover. */
import type { Tokenizer } from "../text/tokenizer.ts";

/** UTF-16 positions of a stretch of text, `[start, end)`. */
export type Range = [number, number];

/** The text of tokens; special tokens give none, malformed UTF-8 gives U+FFFD. */
export function textOf(ids: readonly number[], tokenizer: Tokenizer): string {
  return markedText(ids, ids.map(() => false), tokenizer).text;
}

/** The text of tokens and the stretches that the marked ones end: a character belongs to its last byte. */
export function markedText(
  ids: readonly number[],
  marked: readonly boolean[],
  tokenizer: Tokenizer,
): { text: string; ranges: Range[] } {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const ranges: Range[] = [];
  let text = "";
  const append = (piece: string, mark: boolean) => {
    if (mark && piece !== "") {
      const last = ranges.at(-1);
      if (last?.[1] === text.length) last[1] += piece.length;
      else ranges.push([text.length, text.length + piece.length]);
    }
    text += piece;
  };
  const bytesOf = (id: number) => id < tokenizer.vocab ? tokenizer.decode([id]) : new Uint8Array(); // beyond: a model's padding
  ids.forEach((id, i) => append(decoder.decode(bytesOf(id), { stream: true }), marked[i]!));
  append(decoder.decode(), false); // what a cut character leaves
  return { text, ranges };
}
