/** Data sets with a short name for `fetch`: where they lie on the hub, and what to know before using them. */

/** A data set of the hub. */
export interface KnownDataset {
  /** owner/name */
  readonly dataset: string;
  /** The configuration that is meant, where the data set has several. */
  readonly config?: string;
  /** The files that are meant, where neither configurations nor splits tell. */
  readonly include?: readonly string[];
  readonly licence: string;
  readonly about: string;
}

/** By short name. What the hub itself says of the licence is shown and recorded when it is fetched. */
export const DATASETS: Readonly<Record<string, KnownDataset>> = {
  "minipile": {
    dataset: "JeanKaddour/minipile",
    licence: "that of each part",
    about: "a million varied documents of The Pile",
  },
  "fineweb-edu": {
    dataset: "HuggingFaceFW/fineweb-edu",
    config: "sample-10BT",
    licence: "odc-by",
    about: "educational web pages, 10 billion tokens",
  },
  "openwebtext": {
    dataset: "Skylion007/openwebtext",
    licence: "cc0-1.0",
    about: "8 million web pages that Reddit links to",
  },
  "tinystories": {
    dataset: "roneneldan/TinyStories",
    include: ["data/*.parquet"],
    licence: "cdla-sharing-1.0",
    about: "2 million stories in a small child's words",
  },
  "wikitext-2": {
    dataset: "Salesforce/wikitext",
    config: "wikitext-2-raw-v1",
    licence: "cc-by-sa-3.0, gfdl",
    about: "good Wikipedia articles, 2 million words",
  },
  "wikitext-103": {
    dataset: "Salesforce/wikitext",
    config: "wikitext-103-raw-v1",
    licence: "cc-by-sa-3.0, gfdl",
    about: "good Wikipedia articles, 100 million words",
  },
};

/** What a fetch stage says about which files it wants. */
interface Wanted {
  readonly dataset: string;
  readonly config?: string | undefined;
  readonly include?: readonly string[] | undefined;
}

/** Replaces a short name by what it stands for; what the stage says itself counts more. */
export function withKnownDataset<T extends Wanted>(stage: T): T {
  const known = Object.hasOwn(DATASETS, stage.dataset) ? DATASETS[stage.dataset]! : undefined;
  if (!known) return stage;
  const { dataset, config, include } = known;
  const own = stage.config !== undefined || stage.include !== undefined;
  return { ...stage, dataset, ...(own ? {} : { ...(config && { config }), ...(include && { include }) }) };
}
