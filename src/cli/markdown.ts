/**
 * Markdown as lines for a terminal: headings, paragraphs, lists, tables and code. Knows what the topics use and no
 * more: no nested lists, no HTML, no pictures.
 */

import { widthOf } from "../formats/columns.ts";

/** What the terminal has. */
export interface Look {
  /** Columns. */
  readonly width: number;
  /** Whether there is bold type; without it, headings are underlined and code keeps its marks. */
  readonly bold: boolean;
}

/** The whole text, with a line break at its end. */
export function render(markdown: string, look: Look): string {
  return `${blocksOf(markdown).map((block) => renderBlock(block, look).join("\n")).join("\n\n")}\n`;
}

/** Lines that belong together: what empty lines separate, and fenced code with all that is in it. */
function blocksOf(markdown: string): string[][] {
  const blocks: string[][] = [];
  let block: string[] = [], isCode = false;
  for (const line of [...markdown.split("\n"), ""]) {
    const isFence = line.startsWith("```");
    if ((line === "" && !isCode) || (isFence && !isCode)) {
      if (block.length > 0) blocks.push(block);
      block = [];
    }
    if (line !== "" || isCode) block.push(line);
    if (isFence) isCode = !isCode;
    if (isFence && !isCode) {
      blocks.push(block);
      block = [];
    }
  }
  return blocks;
}

function renderBlock(block: readonly string[], look: Look): string[] {
  const [first] = block as readonly [string, ...string[]];
  if (first.startsWith("```")) return block.slice(1, -1).map((line) => line === "" ? "" : `  ${line}`);
  if (first.startsWith("|")) return tableOf(block, look);
  const heading = /^(#+) (.*)/.exec(first);
  if (heading !== null) {
    const [, level, text] = heading;
    if (look.bold) return [strong(inline(text!, look), look)];
    return [text!, (level === "#" ? "=" : "-").repeat(widthOf(text!))];
  }
  if (/^(-|\d+\.) /.test(first)) return listOf(block, look);
  return wrapped(inline(block.join(" "), look), look.width);
}

function listOf(block: readonly string[], look: Look): string[] {
  const items: string[] = [];
  for (const line of block) {
    if (/^(-|\d+\.) /.test(line)) items.push(line);
    else items.push(`${items.pop()} ${line.trim()}`);
  }
  return items.flatMap((item) => {
    const [, mark, text] = /^(\S+) +(.*)$/.exec(item)!;
    const indent = " ".repeat(mark!.length + 1);
    return wrapped(inline(text!, look), look.width - indent.length)
      .map((line, i) => (i === 0 ? `${mark} ` : indent) + line);
  });
}

/** Columns below each other; the widest ones give way, and their cells take more lines, until a row fits. */
function tableOf(block: readonly string[], look: Look): string[] {
  const rows = block.filter((line) => !/^\|[\s:|-]+\|$/.test(line)).map((line) =>
    line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => inline(cell.trim().replaceAll("\\|", "|"), look))
  );
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => shownWidth(row[column] ?? ""))));
  const room = look.width - 2 * (widths.length - 1);
  while (sum(widths) > room && Math.max(...widths) > 8) widths[widths.indexOf(Math.max(...widths))]! -= 1;
  const [head, ...body] = rows.map((row) => {
    const cells = widths.map((width, i) => wrapped(row[i] ?? "", width));
    return Array.from(
      { length: Math.max(...cells.map(({ length }) => length)) },
      (_, line) => cells.map((cell, i) => padded(cell[line] ?? "", widths[i]!)).join("  ").trimEnd(),
    );
  });
  const isTall = body.some(({ length }) => length > 1);
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [...head!, rule, ...body.flatMap((row, i) => isTall && i > 0 ? ["", ...row] : row)];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const padded = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - shownWidth(text)));

/** Marks within a line: code, bold, emphasis and links. */
function inline(text: string, look: Look): string {
  const parts = text.split(/(`[^`]+`)/);
  return parts.map((part) => {
    if (part.startsWith("`") && part.length > 2) return look.bold ? strong(part.slice(1, -1), look) : part;
    return part
      .replaceAll(
        /\[([^\]]+)\]\(([^)]+)\)/g,
        (_, name, target) => name === target ? name : `${name} (${target})`,
      )
      .replaceAll(/\*\*([^*]+)\*\*/g, (_, inner) => strong(inner, look))
      .replaceAll(/(?<![\w*])[_*]([^_*]+)[_*](?![\w*])/g, "$1");
  }).join("");
}

const strong = (text: string, { bold }: Look): string => bold ? `\x1b[1m${text}\x1b[22m` : text;

// deno-lint-ignore no-control-regex
const shownWidth = (text: string): number => widthOf(text.replaceAll(/\x1b\[\d+m/g, ""));

/** Lines of at most so many columns; a longer word has a line of its own. Bold type may go on over a line's end. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && shownWidth(line) + 1 + shownWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
