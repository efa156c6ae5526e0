/** Which files of a data set are meant: by glob, by the configurations of its card, or by the files' own names. */

import { didYouMean } from "../config/nearest.ts";
import type { FetchConfig } from "../config/schema.ts";
import { globPattern } from "../formats/glob.ts";
import { UserError } from "../stage/errors.ts";
import type { Configuration, HubFile, Listing } from "./hub.ts";

/** Files that hold text for `prepare`. */
const DATA = /\.(parquet|jsonl|ndjson|json|txt)(\.(gz|zst))?$/i;

/** Names that data sets give to the same split. */
const SPLITS: readonly (readonly string[])[] = [
  ["train", "training"],
  ["validation", "valid", "val", "dev"],
  ["test", "testing", "eval", "evaluation"],
];

/**
 * The wanted files, in the order of their paths.
 *
 * - `include`: what one of the globs matches, of whatever kind
 * - `config`: what the data set's card lists for it; without a list, what lies in a folder of that name
 * - `split`: of these, what the card lists for it; without a list, paths with the split's name as a word of its own
 * - nothing: all that the card lists; without a list, all files that `prepare` can read
 *
 * @throws {UserError} that says what there is, where nothing is left
 */
export function chooseFiles(
  { files, configurations }: Listing,
  { dataset, config, split, include }: Pick<FetchConfig, "dataset" | "config" | "split" | "include">,
): HubFile[] {
  const sorted = [...files].sort((a, b) => a.path < b.path ? -1 : 1);
  if (include !== undefined) {
    const patterns = include.map(globPattern);
    const chosen = sorted.filter(({ path }) => patterns.some((pattern) => pattern.test(path)));
    return someOf(chosen, sorted, `${dataset} has no file that matches ${include.join(", ")}`);
  }
  const data = sorted.filter(({ path }) => DATA.test(path) && !path.endsWith("dataset_infos.json"));
  someOf(data, sorted, `${dataset} has no Parquet, JSON Lines or text files`);

  const known = configurations.map(({ name }) => name);
  const entries = configurations.filter(({ name }) => config === undefined || name === config)
    .flatMap(({ files }) => files);
  if (entries.length === 0) return ofSplit(ofFolder(data, config, known, dataset), split, dataset);
  const splits = [...new Set(entries.flatMap((entry) => entry.split ?? []))];
  if (split === undefined || splits.length === 0) return ofSplit(listedBy(entries, data), split, dataset);
  const chosen = listedBy(entries.filter((entry) => sameSplit(entry.split ?? "", split)), data);
  return someOf(chosen, data, `${dataset} has no split "${split}": there is ${splits.join(", ")}`);
}

/** What the entries of a card name. */
function listedBy(entries: Configuration["files"], files: readonly HubFile[]): HubFile[] {
  const patterns = entries.flatMap(({ globs }) => globs.map(cardPattern));
  return files.filter(({ path }) => patterns.some((pattern) => pattern.test(path)));
}

function ofFolder(
  files: HubFile[],
  config: string | undefined,
  known: readonly string[],
  dataset: string,
): HubFile[] {
  if (config === undefined) return files;
  const chosen = files.filter(({ path }) => path.split("/").slice(0, -1).includes(config));
  const hint = known.length === 0 ? "" : `: there is ${listed(known)}${didYouMean(config, known)}`;
  return someOf(chosen, files, `${dataset} has no configuration "${config}"${hint}`);
}

function ofSplit(files: HubFile[], split: string | undefined, dataset: string): HubFile[] {
  if (split === undefined) return files;
  const words = SPLITS.find((names) => names.includes(split)) ?? [split];
  const named = new RegExp(`(^|[-._ 0-9/])(${words.map(RegExp.escape).join("|")})([-._ 0-9/]|$)`, "i");
  return someOf(
    files.filter(({ path }) => named.test(path)),
    files,
    `${dataset} has no files that are named for the split "${split}"`,
  );
}

const sameSplit = (a: string, b: string): boolean =>
  a === b || SPLITS.some((names) => names.includes(a) && names.includes(b));

/** A card's `data/train-*` matches within a folder, as a shell's does; a folder means all that is in it. */
function cardPattern(glob: string): RegExp {
  const plain = glob.replace(/^\.?\//, "");
  return globPattern(/[*?[{]|\.\w+$/.test(plain) ? plain : `${plain.replace(/\/$/, "")}/**`);
}

function someOf(chosen: HubFile[], all: readonly HubFile[], complaint: string): HubFile[] {
  if (chosen.length > 0) return chosen;
  throw new UserError(
    `${complaint}; its files are ${listed(all.map(({ path }) => path)) || "none"}: name some with --include`,
  );
}

/** At most eight names. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(", ");
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
