/** The numbers of the page as one object: report.json, and what the page's tables print. */

import { type ArmFigures, armFigures } from "./arm_figures.ts";
import type { Results } from "./collect.ts";
import { headline } from "./headline.ts";
import type { Decoding, Evaluation, Meta } from "./inputs.ts";

/**
 * report.json. Keys are those of the files that the numbers came from; null is "not measured". The training
 * curves' single steps stay in metrics.jsonl.
 */
export interface Figures {
  readonly format: "foretoken-report";
  readonly version: 2;
  readonly name: string;
  readonly headline: string;
  readonly missing: readonly string[];
  readonly data: readonly ({ readonly id: string } & Pick<Meta, "tokenizer" | "splits">)[];
  readonly arms: readonly ArmFigures[];
  /** Without the samples. */
  readonly evaluations: readonly ({ readonly id: string } & Evaluation)[];
  /** Without the samples. */
  readonly decodings: readonly ({ readonly id: string } & Decoding)[];
}

/** The numbers of these results. */
export function figures(results: Results): Figures {
  return {
    format: "foretoken-report",
    version: 2,
    name: results.name,
    headline: headline(results),
    missing: results.missing,
    data: results.data.map(({ id, value }) => ({
      id,
      tokenizer: value.tokenizer,
      splits: value.splits,
    })),
    arms: results.arms.map(armFigures),
    evaluations: results.evaluations.map(({ id, value: { generation, ...value } }) => ({
      id,
      ...value,
      ...(generation && { generation: { ...generation, samples: [] } }),
    })),
    decodings: results.decodings.map(({ id, value }) => ({
      id,
      ...value,
      arms: value.arms.map((arm) => ({
        ...arm,
        domains: arm.domains.map((domain) => ({ ...domain, samples: [] })),
      })),
    })),
  };
}
