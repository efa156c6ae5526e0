/** Where drafted and plain output first part. */

import type { DecodedArm } from "./inputs.ts";
import { type Content, markup } from "./markup.ts";
import { headsName } from "./measurements.ts";
import { count } from "./numbers.ts";
import { speedRows } from "./speed_table.ts";

/** Where outputs first part, of the measurement that headline and summary speak of and of all others. */
export function differences(arms: readonly DecodedArm[]): Content {
  const all = arms.flatMap(speedRows).filter(({ other }) => other === null).flatMap(({ arm, placed }) =>
    (placed.measurement.equal?.first_differences ?? []).map((difference) => ({ arm, placed, ...difference }))
  );
  if (all.length === 0) return null;
  return markup`<p>First differences:</p><ul>${
    all.slice(0, 10).map(({ arm, placed: { domain, batch, measurement }, prompt, at, gap }) =>
      markup`<li>${arm.id}, ${domain.name}, batch ${batch.batch}, ${headsName(measurement)}: prompt ${
        count(prompt + 1)
      } at new token ${count(at + 1)}${
        gap !== null && markup`, gap of the two best logits ${gap.toPrecision(2)}`
      }</li>`
    )
  }${all.length > 10 && markup`<li>and ${count(all.length - 10)} more</li>`}</ul>
`;
}
