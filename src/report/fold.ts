/** Parts of the page that unfold: long tables, which would bury what comes after them, and which paper need not hold. */

import { type Content, type Markup, markup } from "./markup.ts";
import { plural } from "./numbers.ts";

/** Rows of a table that stands open. */
const OPEN = 24;

/** The content as it is, or folded where it has many rows. Paper says where they are instead. */
export function foldedRows(rows: number, what: string, content: Content): Markup {
  if (rows <= OPEN) return markup`${content}`;
  return markup`<details class="long"><summary>${what}: ${plural(rows, "row")}</summary>
${content}</details>
<p class="note on-paper">${what}: ${plural(rows, "row")}, in report.json and on the screen.</p>
`;
}
