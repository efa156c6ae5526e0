/** Byte tokens back to text, with the places in the text that some of them cover. */
import { BYTE_TOKENIZER } from "../data/shards.ts";

const { byteOffset } = BYTE_TOKENIZER;

/** UTF-16 positions of a stretch of text, `[start, end)`. */
export type Range = [number, number];

/** The text of byte tokens; special tokens give none, malformed UTF-8 gives U+FFFD. */
export function textOf(ids: readonly number[]): string {
  return markedText(ids, ids.map(() => false)).text;
}

/** The text of byte tokens and the stretches that the marked ones end: a character belongs to its last byte. */
export function markedText(
  ids: readonly number[],
  marked: readonly boolean[],
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
  ids.forEach((id, i) => {
    if (id < byteOffset) return;
    append(decoder.decode(Uint8Array.of(id - byteOffset), { stream: true }), marked[i]!);
  });
  append(decoder.decode(), false); // what a cut character leaves
  return { text, ranges };
}
