/** What every benchmark prints with: lines, tables, medians. */

const encoder = new TextEncoder();

/** One line on standard output. */
export const print = (line = ""): void => void Deno.stdout.writeSync(encoder.encode(`${line}\n`));

/** Rows under a header: the first column to the left, the others, which hold numbers, to the right. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const pad = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
  for (const row of [header, widths.map((w) => "-".repeat(w)), ...rows]) print(row.map(pad).join("  "));
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
