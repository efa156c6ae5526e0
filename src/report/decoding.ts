/** What the decode stages measured: speed by number of heads, acceptance by depth, where the time goes, equality. */

import { acceptanceTable } from "./acceptance_table.ts";
import type { Results, Staged } from "./collect.ts";
import { armCharts } from "./decoding_charts.ts";
import { settingsInWords } from "./decoding_words.ts";
import { differences } from "./differences.ts";
import type { Decoding } from "./inputs.ts";
import { type Markup, markup } from "./markup.ts";
import { spokenOf } from "./measurements.ts";
import { speedTable } from "./speed_table.ts";
import { writtenTable } from "./written_table.ts";

/** One part for each decode stage, or a sentence. */
export function decodingSection({ decodings }: Results): Markup {
  return markup`<section aria-labelledby="decoding"><h2 id="decoding">Decoding</h2>
${
    decodings.length === 0
      ? markup`<p>No decoding was among this report's inputs: nothing is said of tokens per forward or speed.</p>`
      : decodings.map((decoding, i) => part(decoding, i, decodings.length > 1))
  }
</section>
`;
}

function part({ id, value }: Staged<Decoding>, index: number, several: boolean): Markup {
  const { arms } = value;
  const drafting = arms.filter((arm) => spokenOf(arm) !== null);
  return markup`${several && markup`<h3>Stage ${id}</h3>`}
<p>${settingsInWords(value)}</p>
${
    drafting.length === 0
      ? markup`<p>No arm decoded with drafts.</p>`
      : drafting.map((arm, i) => armCharts(arm, `${index}-${i}`))
  }
${speedTable(arms)}
${differences(arms)}
${
    drafting.length > 0 &&
    acceptanceTable(drafting)
  }
${writtenTable(arms)}
`;
}
