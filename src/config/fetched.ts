/** `fetched:raw/data/*.parquet`: paths among the files that a fetch stage brings, whose folder the file does not know. */

import { join } from "node:path";

const PREFIX = "fetched:";

/** Whether a path is one of these. */
export const isFetched = (path: string): boolean => path.startsWith(PREFIX);

/** The id of the fetch stage. */
export const fetchStageOf = (path: string): string => path.slice(PREFIX.length).split("/")[0]!;

/**
 * The path itself, or of one of these the real one.
 * @param folderOf The folder of a fetch stage by its id, absolute.
 */
export function realPathOf(path: string, folderOf: (id: string) => string): string {
  if (!isFetched(path)) return path;
  const id = fetchStageOf(path);
  return join(folderOf(id), "files", path.slice(PREFIX.length + id.length));
}
