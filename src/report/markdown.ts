/** report.md: what the page says in tables, to paste into a README, an issue or a paper's draft. */

import type { Results } from "./collect.ts";
import { commandLines } from "./commands.ts";
import { compare } from "./compared.ts";
import { comparisonTables, figureText, notes } from "./comparison.ts";
import { costColumns, costNotes, costsOf } from "./cost.ts";
import { headline } from "./headline.ts";
import { visible } from "./markup.ts";
import type { Column } from "./table.ts";

/** The whole file: headline, comparison, cost, what is missing, how to do it again. */
export function markdown(results: Results): string {
  const comparison = compare(results);
  const costs = costsOf(results);
  const columns = costColumns(costs);
  const commands = commandLines(results.commands);
  const parts = [
    `# ${escaped(results.name)}`,
    escaped(headline(results)),
    ...section("Missing", results.missing.map((sentence) => `- ${escaped(sentence)}`).join("\n")),
    "## Comparison",
    ...comparisonTables(comparison, figureText).map((one) =>
      `${escaped(one.caption)}\n\n${table(one.columns, comparison.sets)}`
    ),
    ...notes(comparison).map(escaped),
    ...(columns.length < 2 ? [] : ["## Cost", table(columns, costs), ...costNotes(results).map(escaped)]),
    ...section("To run it again", commands.length === 0 ? "" : `${fenced(commands.join("\n"))}`),
  ];
  return `${parts.join("\n\n")}\n`;
}

function section(title: string, body: string): string[] {
  return body === "" ? [] : [`## ${title}`, body];
}

function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = columns.map(({ words }, i) => words || i === 0 ? "---" : "---:");
  return [
    line(columns.map(({ heading }) => escaped(heading))),
    line(rule),
    ...rows.map((row) => line(columns.map((column) => escaped(String(column.cell(row) ?? ""))))),
  ].join("\n");
}

/** What Markdown would take for a table's border, emphasis, code, a link or HTML. */
function escaped(text: string): string {
  return visible(text).replaceAll("\u00a0", " ").replaceAll("\u2011", "-").replace(/[\\`*_[\]<>|#]/g, "\\$&")
    .replace(/\s*\n\s*/g, " ");
}

/** A fence that is longer than any inside. */
function fenced(code: string): string {
  const fence = "`".repeat(Math.max(3, ...[...code.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}sh\n${code}\n${fence}`;
}
