/** HTML tables with a caption, right-aligned numbers, and one card a row on narrow screens. */

import { type Content, type Markup, markup } from "./markup.ts";

/** A column: its heading and its cell of a row. The first column heads the rows. */
export interface Column<Row> {
  readonly heading: string;
  /** Words are left-aligned, numbers (unless told otherwise) right-aligned. */
  readonly words?: boolean;
  cell(row: Row): Content;
}

/** A table; `cards`: on narrow screens each row becomes a card of its own, with the headings beside the values. */
export function table<Row>(
  caption: Content,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { cards = false } = {},
): Markup {
  // The roles survive `display: block` on narrow screens, which takes a table's own from screen readers.
  return markup`<figure class="table"><figcaption>${caption}</figcaption><div class="scroll"><table role="table"${
    cards && markup` class="cards"`
  }>
<thead role="rowgroup"><tr role="row">${columns.map(heading)}</tr></thead>
<tbody role="rowgroup">
${
    rows.map((row) =>
      markup`<tr role="row">${columns.map((column, i) => cell(column, row, i))}</tr>
`
    )
  }</tbody>
</table></div></figure>
`;
}

function heading<Row>({ heading, words }: Column<Row>, index: number): Markup {
  return markup`<th role="columnheader" scope="col"${
    (words || index === 0) && markup` class="words"`
  }>${heading}</th>`;
}

function cell<Row>(column: Column<Row>, row: Row, index: number): Markup {
  const content = column.cell(row);
  if (index === 0) return markup`<th role="rowheader" scope="row" class="words">${content}</th>`;
  return markup`<td role="cell" data-label="${column.heading}"${
    column.words && markup` class="words"`
  }>${content}</td>`;
}

/** So many rows stand open; more fold away: what they say of sets of replicates stands in the comparison. */
const OPEN = 12;

/** A table with a row for each arm, folded where there are many. */
export function foldedRows(table: Markup, rows: number, title: string): Markup {
  if (rows <= OPEN) return table;
  return markup`<details><summary>${title}: ${rows} rows</summary>
${table}</details>
`;
}
