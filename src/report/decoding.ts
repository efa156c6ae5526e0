/** What the decode stages measured: speed by number of heads, acceptance by depth, where the time goes, equality. */

import { acceptanceRows, acceptanceTable } from "./acceptance_table.ts";
import type { Results, Staged } from "./collect.ts";
import { armCharts } from "./decoding_charts.ts";
import { setCharts } from "./decoding_sets.ts";
import { settingsInWords } from "./decoding_words.ts";
import { differences } from "./differences.ts";
import { foldedRows } from "./fold.ts";
import type { DecodedArm, Decoding } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { spokenOf } from "./measurements.ts";
import { plural } from "./numbers.ts";
import { type Replicates, replicatesOf } from "./replicates.ts";
import { speedRows, speedTable } from "./speed_table.ts";
import { writtenTable } from "./written_table.ts";

/** Of so many drafting arms at most, each has charts of its own; of more, the sets of replicates have. */
const DETAILED = 4;
/** Sets of which one arm's charts can be unfolded. */
const EXAMPLES = 12;

/** One part for each decode stage, or a sentence. */
export function decodingSection(results: Results): Markup {
  const { decodings } = results;
  return markup`<section aria-labelledby="decoding"><h2 id="decoding">Decoding</h2>
${
    decodings.length === 0
      ? markup`<p>No decoding was among this report's inputs: nothing is said of tokens per forward or speed.</p>`
      : decodings.map((decoding, i) => part(decoding, i, results))
  }
</section>
`;
}

function part({ id, value }: Staged<Decoding>, index: number, results: Results): Markup {
  const { arms } = value;
  const drafting = arms.filter((arm) => spokenOf(arm) !== null);
  return markup`${results.decodings.length > 1 && markup`<h3>Stage ${id}</h3>`}
<p>${settingsInWords(value)}</p>
${drafting.length === 0 ? markup`<p>No arm decoded with drafts.</p>` : charts(drafting, index, results)}
${foldedRows(arms.flatMap(speedRows).length, "Speeds", speedTable(arms))}
${differences(arms)}
${
    drafting.length > 0 &&
    foldedRows(drafting.flatMap(acceptanceRows).length, "Acceptance by depth", acceptanceTable(drafting))
  }
${foldedRows(arms.flatMap(({ domains }) => domains).length, "What was written", writtenTable(arms))}
`;
}

function charts(drafting: readonly DecodedArm[], index: number, results: Results): Content {
  const sets = replicatesOf(results);
  const isReplicated = sets.some(({ arms }) => arms.filter(({ arm }) => hasId(drafting, arm.id)).length > 1);
  if (!isReplicated && drafting.length <= DETAILED) {
    return drafting.map((arm, i) => armCharts(arm, `${index}-${i}`));
  }
  const examples = sets.flatMap((set) => exampleOf(set, drafting)).slice(0, EXAMPLES);
  return [
    setCharts(sets, drafting, results.data, String(index)),
    markup`<details class="long"><summary>${
      plural(examples.length, "arm")
    } in detail, the first seed of each set: speed-up by heads, acceptance, time of a forward by part</summary>
${examples.map((arm, i) => armCharts(arm, `${index}-${i}`))}</details>
`,
  ];
}

const hasId = (arms: readonly DecodedArm[], id: string): boolean => arms.some((arm) => arm.id === id);

/** The first seed's arm, where it drafts. */
function exampleOf({ arms }: Replicates, drafting: readonly DecodedArm[]): DecodedArm[] {
  const first = arms.find(({ arm }) => hasId(drafting, arm.id));
  return first === undefined ? [] : [drafting.find(({ id }) => id === first.arm.id)!];
}
