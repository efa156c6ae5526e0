/**
 * The alphabet of byte-level BPE: a tokenizer.json spells each byte of a token as one printable character.
 *
 * Printable bytes of Latin-1 stand for themselves; the others, in order, are U+0100 and up (GPT-2's bytes_to_unicode).
 */

const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

/** The character of each byte. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();

const bytesByCharacter = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** Bytes as their characters. */
export const spell = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => BYTE_CHARACTERS[byte]!).join("");

/** The bytes of a spelling; undefined where a character stands for no byte. */
export function unspell(spelling: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(spelling.length);
  for (let i = 0; i < spelling.length; i++) {
    const byte = bytesByCharacter.get(spelling[i]!);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
