/**
 * The fetch stage: the files of a public data set, from a hub to `files/` in the stage's folder.
 *
 * | file           | content                                                                                        |
 * | -------------- | ---------------------------------------------------------------------------------------------- |
 * | `listing.json` | what was chosen, at which commit; written first, so that a stopped run goes on with that commit  |
 * | `files/`       | the files under their own names; one that is not whole has the name of its own with `.partial`   |
 * | `fetch.json`   | what was fetched; written last                                                                 |
 */

import { statfsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { hostsOf } from "../config/hosts.ts";
import type { FetchConfig } from "../config/schema.ts";
import { writeJson } from "../formats/atomic.ts";
import { duration } from "../formats/duration.ts";
import { writing } from "../formats/file_errors.ts";
import { readJson } from "../formats/json.ts";
import type { Patience } from "../net/patience.ts";
import { Interrupted, UserError } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import { chooseFiles } from "./choose.ts";
import { Client, PATIENCE } from "./client.ts";
import { download } from "./download.ts";
import { Hub, type HubFile } from "./hub.ts";
import { Meter, size } from "./meter.ts";

/** listing.json, and with `fetched` fetch.json. */
export interface Fetched {
  readonly dataset: string;
  readonly endpoint: string;
  /** As it was asked for, and the commit that it named then. */
  readonly revision: string;
  readonly commit: string;
  /** What the hub says, if it says something. */
  readonly licence: string | null;
  readonly files: readonly HubFile[];
  /** ISO 8601, UTC. */
  readonly fetched?: string;
}

/** Fetches what the config names. */
export const run: Run<FetchConfig> = (config, io) =>
  fetchDataset(config, io, Deno.env.get("HF_TOKEN"), PATIENCE);

/**
 * The same with a token and waits of the caller's.
 *
 * @throws {UserError} where the files are not to be had or do not fit
 * @throws {Interrupted} where `io.stop` came first
 */
export async function fetchDataset(
  config: FetchConfig,
  io: StageIo,
  token: string | undefined,
  patience: Patience,
): Promise<void> {
  const failed = new AbortController();
  const stop = AbortSignal.any([io.stop, failed.signal]);
  const site = { endpoint: config.endpoint, hosts: hostsOf(config), token };
  const client = new Client(site, patience, stop);
  const hub = new Hub(client, config, io.log);
  const started = performance.now();
  const listing = await chosen(config, hub, io);
  const left = listing.files.filter(({ path, bytes }) => !isThere(join(io.folder, "files", path), bytes));
  const total = bytesOf(listing.files);
  io.log(
    `${listing.dataset} at ${listing.commit.slice(0, 10)} (${listing.revision}), ` +
      `licence: ${listing.licence ?? "see its page"}: ${counted(listing.files)}, ${size(total)}`,
  );
  checkRoom(io.folder, left);

  const meter = new Meter(total, listing.files.length);
  meter.moved(total - bytesOf(left), false);
  for (let i = left.length; i < listing.files.length; i++) meter.finished();
  const queue = [...left];
  const worker = async () => {
    for (let file; (file = queue.shift());) {
      await fetchFile(client, hub, listing.commit, file, io, meter);
      meter.finished();
    }
  };
  const drawing = setInterval(() => io.progress(meter.line()), 200);
  try {
    const workers = Array.from({ length: Math.min(config.parallel, queue.length) }, worker);
    // The first failure stops the others, and is what is told.
    await Promise.all(workers.map((one) =>
      one.catch((error) => {
        failed.abort();
        throw error;
      })
    )).finally(() => Promise.allSettled(workers));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(
      `Stopped at ${size(meter.bytes)} of ${size(total)}: the same command goes on from there`,
    );
  } finally {
    clearInterval(drawing);
  }
  writeJson(join(io.folder, "fetch.json"), {
    ...listing,
    endpoint: config.endpoint,
    fetched: new Date().toISOString(),
  });
  const seconds = (performance.now() - started) / 1000;
  const came = bytesOf(left);
  io.log(
    `${size(came)} in ${duration(seconds)}, ${size(came / seconds)}/s, into ${
      here(join(io.folder, "files"))
    }`,
  );
}

/** What an earlier attempt chose, else what the hub lists now. */
async function chosen(config: FetchConfig, hub: Hub, io: StageIo): Promise<Fetched> {
  const path = join(io.folder, "listing.json");
  if (isThere(path)) return readJson(path, "remove it, and the files are listed anew") as Fetched;
  const listing = await hub.list();
  const { dataset, endpoint, revision } = config;
  const { commit, licence = null } = listing;
  const fetched = { dataset, endpoint, revision, commit, licence, files: chooseFiles(listing, config) };
  writeJson(path, fetched);
  return fetched;
}

async function fetchFile(
  client: Client,
  hub: Hub,
  commit: string,
  file: HubFile,
  io: StageIo,
  meter: Meter,
): Promise<void> {
  const path = join(io.folder, "files", file.path);
  writing(path, () => Deno.mkdirSync(dirname(path), { recursive: true }));
  await download(client, hub, commit, file, {
    path,
    log: io.log,
    moved: (bytes, came) => meter.moved(bytes, came),
  });
}

/** @throws {UserError} where the disk has less room than the files need. */
function checkRoom(folder: string, files: readonly HubFile[]): void {
  const { bavail, bsize } = statfsSync(folder);
  const partial = files.reduce((sum, { path }) => sum + bytesAt(join(folder, "files", `${path}.partial`)), 0);
  const [needed, free] = [bytesOf(files) - partial, bavail * bsize];
  if (needed <= free) return;
  throw new UserError(
    `${size(needed)} are to come and ${here(folder)} has ${
      size(free)
    } free: free some space, or fetch a part ` +
      "(--split, --config, --include)",
  );
}

const bytesOf = (files: readonly HubFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);
const counted = (files: readonly HubFile[]): string =>
  `${files.length} ${files.length === 1 ? "file" : "files"}`;
const here = (path: string): string => relative(Deno.cwd(), path) || ".";

/** Whether a file of this size is there; it got its name only after its checksum was right. */
function isThere(path: string, bytes?: number): boolean {
  try {
    const { isFile, size } = Deno.statSync(path);
    return isFile && (bytes === undefined || size === bytes);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function bytesAt(path: string): number {
  return isThere(path) ? Deno.statSync(path).size : 0;
}
