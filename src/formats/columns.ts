/** Text in columns for a terminal. */

/** Columns that a terminal gives a character: none for combining marks, two for wide scripts and pictures. */
function widthOfCharacter(character: string): number {
  if (/\p{M}/u.test(character)) return 0;
  const code = character.codePointAt(0)!;
  const wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

/** Columns that a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

/** The beginning of a text that fits into so many columns, with an ellipsis where something is left out. */
export function fitted(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return `${pieces(text, width - 1).next().value ?? ""}…`;
}

/** Cuts a text into lines of so many columns. */
export function* pieces(text: string, width: number): Generator<string> {
  let line = "", used = 0;
  for (const character of text) {
    const more = widthOfCharacter(character);
    if (used + more > width && line !== "") {
      yield line;
      [line, used] = ["", 0];
    }
    line += character;
    used += more;
  }
  if (line !== "") yield line;
}

/** Rows with cells below each other, two spaces between them: the first column to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, widthOf(cell)));
  return rows.map((row) =>
    row.map((cell, i) => {
      const space = " ".repeat(widths[i]! - widthOf(cell));
      return i === 0 ? cell + space : space + cell;
    }).join("  ").trimEnd()
  );
}
