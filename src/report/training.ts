/** The training's section: what it has warned of, and the curves of losses and validations. */

import type { Arm, Results } from "./collect.ts";
import { armName } from "./headline.ts";
import type { Warning } from "./inputs.ts";
import { lossCharts } from "./loss_charts.ts";
import { type Markup, markup } from "./markup.ts";
import { replicatesOf } from "./replicates.ts";
import { validationCharts } from "./validation_charts.ts";

/** The charts, as far as there are curves. */
export function trainingSection(
  { arms, data = [] }: Pick<Results, "arms"> & Partial<Pick<Results, "data">>,
  extra?: Markup,
): Markup {
  const sets = replicatesOf({ arms });
  return markup`<section aria-labelledby="training"><h2 id="training">Training</h2>
${warnings(arms)}
${lossCharts(sets, data)}
${validationCharts(sets, data)}
${extra}</section>
`;
}

/** What the training itself has warned of. */
function warnings(arms: readonly Arm[]): Markup | null {
  const said = arms.flatMap((arm) => {
    const byName = Map.groupBy(arm.warnings, ({ name }) => name);
    return [...byName.values()].map((alike) => ({ arm, alike }));
  });
  if (said.length === 0) return null;
  return markup`<h3>Warnings</h3>
<ul class="warnings">${
    said.map(({ arm, alike }) =>
      markup`<li><strong>${armName(arm)}, ${whenSaid(alike)}:</strong> ${alike.at(-1)!.message}</li>
`
    )
  }</ul>`;
}

/** `step 40`, or of several alike, of which the last one is shown, `step 340 (15 times from step 60 on)`. */
function whenSaid(alike: readonly Warning[]): string {
  const last = `step ${alike.at(-1)!.step}`;
  return alike.length === 1 ? last : `${last} (${alike.length} times from step ${alike[0]!.step} on)`;
}
