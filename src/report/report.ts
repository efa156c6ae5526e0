/** Report stage: from the folders of the stages that it needs to one page and its numbers. */

import { dirname, join } from "node:path";
import type { ReportConfig } from "../config/schema.ts";
import { writeJson, writeText } from "../formats/atomic.ts";
import type { Run } from "../stage/io.ts";
import { collectRuns } from "./collect.ts";
import { csv } from "./csv.ts";
import { figures } from "./figures.ts";
import { markdown } from "./markdown.ts";
import { page } from "./page.ts";
import { readFromDisk } from "./read.ts";
import { sourceOf } from "./sources.ts";

/**
 * Writes `report.html` (self-contained), and its numbers as `report.json`, `report.csv` and `report.md`, into the stage's
 * folder. The same inputs give the same bytes.
 *
 * @throws {UserError} when an input is malformed, or when no needed stage has results to report on
 */
export const run: Run<ReportConfig> = ({ from = [] }, io) => {
  const own = io.needs.length === 0 ? [] : [{ folder: dirname(io.folder), needs: io.needs }];
  const others = from.map(({ run, arms }) => sourceOf(run, arms, readFromDisk));
  const results = collectRuns(io.folder, [...own, ...others], readFromDisk);
  const numbers = figures(results);
  writeJson(join(io.folder, "report.json"), numbers);
  writeText(join(io.folder, "report.csv"), csv(results));
  writeText(join(io.folder, "report.md"), markdown(results));
  writeText(join(io.folder, "report.html"), page(results));
  for (const sentence of results.missing) io.log(sentence);
  io.log(numbers.headline);
  io.log(`page: ${join(io.folder, "report.html")}`);
  return Promise.resolve();
};
