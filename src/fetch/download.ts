/**
 * One file from an address to a path: goes on where it was, checks what has come, and gives it its name at the end.
 *
 * Until then the bytes lie in `<path>.partial`, which a later attempt, also one after a kill, continues. Nothing is
 * believed: the content's checksum decides, whatever the server said on the way.
 */

import { createHash, type Hash } from "node:crypto";
import { dirname } from "node:path";
import { syncFolder } from "../formats/atomic.ts";
import { writing } from "../formats/file_errors.ts";
import { Lost } from "../net/patience.ts";
import { UserError } from "../stage/errors.ts";
import { turn } from "../stage/turn.ts";
import type { Answer, Client } from "./client.ts";
import type { Hub, HubFile } from "./hub.ts";

/** Where a download goes and who hears of it. */
export interface Target {
  /** Absolute; its folder exists. */
  readonly path: string;
  log(line: string): void;
  /** Bytes more, or after a restart fewer. `came`: over the network; else they lay there or were thrown away. */
  moved(bytes: number, came: boolean): void;
}

/**
 * Downloads a file of a data set.
 *
 * @throws {UserError} where it is not to be had, comes twice with a wrong checksum, or cannot be written
 */
export async function download(
  client: Client,
  hub: Hub,
  commit: string,
  file: HubFile,
  target: Target,
): Promise<void> {
  let spoiled = 0;
  using partial = new PartialFile(target, file);
  await partial.takeIn();
  const attempt = async () => {
    if (partial.bytes < file.bytes) await receive(client, hub, commit, file, partial);
    if (partial.isRight()) return;
    partial.restart();
    spoiled++;
    if (spoiled > 1) throw new UserError(wrongTwice(file));
    throw new Lost("its checksum is not the hub's: it is fetched anew");
  };
  const advice = "what has come is kept: run the same command again later";
  await client.persist(file.path, target.log, attempt, advice, undefined, () => partial.bytes);
  partial.commit();
}

function wrongTwice({ path }: HubFile): string {
  return `"${path}" came twice with another checksum than the hub says: nothing of it is kept; ` +
    "where the endpoint is a mirror or a proxy is between, try without it";
}

/** Bytes that a download of this file lacks and a server sends, appended. */
async function receive(
  client: Client,
  hub: Hub,
  commit: string,
  file: HubFile,
  partial: PartialFile,
): Promise<void> {
  const from = partial.bytes;
  const headers = from === 0 ? undefined : {
    range: `bytes=${from}-`,
    ...(partial.tag === undefined ? {} : { "if-range": partial.tag }),
  };
  const answer = await client.get(hub.address(commit, file.path), headers);
  try {
    await placeAnswer(answer, hub, file, partial, from);
    const body = answer.response.body;
    if (body !== null) {
      for await (const bytes of body) {
        answer.heard();
        partial.write(bytes);
      }
    }
  } catch (error) {
    throw answer.explain(error);
  } finally {
    answer.end();
  }
  if (partial.bytes < file.bytes) {
    throw new Lost(`the connection ended after ${partial.bytes} of ${file.bytes} bytes`);
  }
}

/** Sees to it that what the answer brings is what comes next in the file. */
async function placeAnswer(
  { response }: Answer,
  hub: Hub,
  file: HubFile,
  partial: PartialFile,
  from: number,
): Promise<void> {
  const { status, headers } = response;
  if (status !== 200 && status !== 206) await response.body?.cancel();
  if (status === 416) {
    partial.restart();
    throw new Lost("the server has no such range: it is fetched anew");
  }
  hub.refuse(response, `"${file.path}"`);
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
  if (status === 206 && Number(range?.[1]) !== from) {
    await response.body?.cancel();
    partial.restart();
    throw new Lost("the server sent another range than was asked for: it is fetched anew");
  }
  if (status === 200 && from > 0) partial.restart(); // it has sent the whole file
  const tag = headers.get("etag");
  partial.tag = tag === null || tag.startsWith("W/") ? undefined : tag; // a weak one does not vouch for bytes
}

/** What has come of a file so far. */
class PartialFile implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #hash: Hash;
  #bytes = 0;
  /** The server's strong name for the content that has come. */
  tag: string | undefined;

  constructor(readonly target: Target, readonly of: HubFile) {
    this.#path = `${target.path}.partial`;
    this.#file = writing(
      this.#path,
      () => Deno.openSync(this.#path, { read: true, write: true, create: true }),
    );
    this.#hash = this.#newHash();
  }

  /** What an earlier process left counts as come. */
  async takeIn(): Promise<void> {
    const buffer = new Uint8Array(1 << 20);
    for (let n; (n = writing(this.#path, () => this.#file.readSync(buffer))) !== null;) {
      if (this.#bytes + n > this.of.bytes) return this.restart();
      this.#count(buffer.subarray(0, n), false);
      await turn();
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#bytes + bytes.length > this.of.bytes) {
      this.restart();
      throw new Lost(`more came than the file's ${this.of.bytes} bytes: it is fetched anew`);
    }
    writing(this.target.path, () => {
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    });
    this.#count(bytes, true);
  }

  /** Throws away what has come. */
  restart(): void {
    writing(this.target.path, () => {
      this.#file.truncateSync(0);
      this.#file.seekSync(0, Deno.SeekMode.Start);
    });
    this.#hash = this.#newHash();
    this.target.moved(-this.#bytes, false);
    this.#bytes = 0;
    this.tag = undefined;
  }

  /** Whether all is there and has the hub's checksum. */
  isRight(): boolean {
    const { bytes, hash } = this.of;
    return this.#bytes === bytes && this.#hash.copy().digest("hex") === Object.values(hash)[0];
  }

  /** Flushes to the disk and gives the file its name. */
  commit(): void {
    const { path } = this.target;
    writing(path, () => {
      this.#file.syncSync();
      Deno.renameSync(this.#path, path);
      syncFolder(dirname(path));
    });
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #count(bytes: Uint8Array, came: boolean): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    this.target.moved(bytes.length, came);
  }

  #newHash(): Hash {
    const { hash, bytes } = this.of;
    return "sha256" in hash ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`);
  }
}
