/** The numbers of the page as one object: report.json, and what the page's tables print. */

import { type ArmFigures, armFigures } from "./arm_figures.ts";
import type { Results } from "./collect.ts";
import { compare, type ComparedSet, type Verdict } from "./compared.ts";
import { type ArmCost, costOf } from "./cost.ts";
import { headline } from "./headline.ts";
import type { Decoding, Evaluation, Meta } from "./inputs.ts";
import type { Difference, Spread } from "./spread.ts";

/**
 * report.json. Keys are those of the files that the numbers came from; null is "not measured". The training
 * curves' single steps stay in metrics.jsonl.
 */
export interface Figures {
  readonly format: "foretoken-report";
  readonly version: 3;
  readonly name: string;
  readonly headline: string;
  readonly missing: readonly string[];
  readonly data: readonly ({ readonly id: string } & Pick<Meta, "tokenizer" | "splits">)[];
  /** With what each took. */
  readonly arms: readonly (ArmFigures & { readonly cost: ArmCost })[];
  readonly comparison: readonly SetFigures[];
  /** Without the samples. */
  readonly evaluations: readonly ({ readonly id: string } & Evaluation)[];
  /** Without the samples. */
  readonly decodings: readonly ({ readonly id: string } & Decoding)[];
}

/** A set of replicates, and what its seeds say together. Shares are not scaled. */
export interface SetFigures {
  readonly label: string;
  readonly curriculum: string;
  /** K. */
  readonly heads: number;
  readonly kind: string | null;
  /** Label of the set that this one is compared with. */
  readonly reference: string | null;
  readonly arms: readonly { readonly id: string; readonly seed: number | null }[];
  readonly figures: Readonly<Record<string, SetFigure>>;
}

/** One measure of a set. */
export interface SetFigure extends Spread {
  /** To the reference, over the seeds that both have. */
  readonly difference:
    | (Difference & { readonly p_holm: number | null; readonly verdict: Verdict | null })
    | null;
}

/** The numbers of these results. */
export function figures(results: Results): Figures {
  return {
    format: "foretoken-report",
    version: 3,
    name: results.name,
    headline: headline(results),
    missing: results.missing,
    data: results.data.map(({ id, value }) => ({
      id,
      tokenizer: value.tokenizer,
      splits: value.splits,
    })),
    arms: results.arms.map((arm) => ({ ...armFigures(arm), cost: costOf(arm, results.stages) })),
    comparison: compare(results).sets.map(setFigures),
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

function setFigures({ set, figures }: ComparedSet): SetFigures {
  const { label, curriculum, heads, kind, reference, arms } = set;
  return {
    label,
    curriculum,
    heads,
    kind,
    reference,
    arms: arms.map(({ seed, arm: { id } }) => ({ id, seed })),
    figures: Object.fromEntries(
      figures.flatMap(({ measure, spread, difference, p_holm, verdict }) =>
        spread === null ? [] : [[measure.key, {
          ...spread,
          difference: difference && { ...difference, p_holm, verdict },
        }]]
      ),
    ),
  };
}
