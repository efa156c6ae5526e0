/** What a hub says about a data set: its commit, licence, configurations and files. Hugging Face's paths. */

import * as z from "zod";
import { hostOf } from "../config/hosts.ts";
import { parseJson } from "../formats/json.ts";
import { UserError } from "../stage/errors.ts";
import type { Client } from "./client.ts";

/** A file of the data set. */
export interface HubFile {
  /** Relative, with `/`, inside the data set. */
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal: the content's SHA-256, or for small files git's SHA-1 of it as a blob. */
  readonly hash: { readonly sha256: string } | { readonly gitBlob: string };
}

/** A configuration of the data set's card: which files are which split. */
export interface Configuration {
  readonly name: string;
  readonly files: readonly { readonly split: string | undefined; readonly globs: readonly string[] }[];
}

/** A data set at one commit. */
export interface Listing {
  readonly commit: string;
  readonly licence: string | undefined;
  readonly configurations: readonly Configuration[];
  readonly files: readonly HubFile[];
}

/** Which data set, and at what branch, tag or commit. */
export interface Wanted {
  readonly dataset: string;
  readonly revision: string;
}

const texts = z.union([z.string(), z.array(z.string())]);
const dataFiles = z.union([
  texts,
  z.array(z.looseObject({ split: z.union([z.string(), z.number()]).optional(), path: texts })),
]);
const infoSchema = z.looseObject({
  sha: z.string().regex(/^[0-9a-f]{7,64}$/),
  cardData: z.looseObject({
    license: texts.optional().catch(undefined),
    configs: z.array(z.looseObject({ config_name: z.coerce.string(), data_files: dataFiles.optional() }))
      .optional().catch(undefined),
  }).nullish(),
});
const entrySchema = z.looseObject({
  type: z.string(),
  path: z.string(),
  size: z.number().int().min(0).default(0),
  oid: z.string().optional(),
  lfs: z.looseObject({ oid: z.string().regex(/^(sha256:)?[0-9a-f]{64}$/), size: z.number() }).nullish(),
});

/** A hub and one data set of it. */
export class Hub {
  constructor(readonly client: Client, readonly wanted: Wanted, readonly log: (line: string) => void) {}

  /** All files of the data set at the commit that the revision names now. */
  async list(): Promise<Listing> {
    const { dataset, revision } = this.wanted;
    const info = await this.#json(
      this.#api(`/revision/${encodeURIComponent(revision)}`),
      infoSchema,
      `the data set ${dataset}`,
    );
    const files: HubFile[] = [];
    let page: string | undefined = this.#api(`/tree/${info.value.sha}?recursive=true&expand=false`);
    while (page !== undefined) {
      const found: Json<z.output<typeof entrySchema>[]> = await this.#json(
        page,
        z.array(entrySchema),
        `the list of ${dataset}'s files`,
      );
      files.push(...found.value.filter(({ type }) => type === "file").map(hubFile));
      page = found.next;
    }
    const { license, configs } = info.value.cardData ?? {};
    return {
      commit: info.value.sha,
      licence: Array.isArray(license) ? license.join(", ") : license,
      configurations: (configs ?? []).map(configuration),
      files,
    };
  }

  /** Where a file's content is. */
  address(commit: string, path: string): string {
    const { endpoint } = this.client.site;
    return `${endpoint}/datasets/${this.wanted.dataset}/resolve/${commit}/${
      path.split("/").map(encodeURIComponent).join("/")
    }`;
  }

  /** @throws {UserError} for an answer that says that the file is not to be had. */
  refuse(response: Response, what: string): void {
    if (response.status < 400) return;
    throw new UserError(`Cannot fetch ${what}: ${this.#reason(response)}`);
  }

  #api(rest: string): string {
    return `${this.client.site.endpoint}/api/datasets/${this.wanted.dataset}${rest}`;
  }

  async #json<T>(address: string, schema: z.ZodType<T>, what: string): Promise<Json<T>> {
    const { client } = this;
    const attempt = async () => {
      const answer = await client.get(address, { accept: "application/json" });
      const { response } = answer;
      try {
        if (response.status >= 400) await response.body?.cancel();
        this.refuse(response, what);
        const text = await response.text();
        const checked = schema.safeParse(parseJson(text, address));
        if (checked.success) return { value: checked.data, next: nextPage(response, address) };
        const { path, message } = checked.error.issues[0]!;
        throw new UserError(
          `Cannot fetch ${what}: ${address} does not answer as a hub does (${path.join(".")}: ${message}); ` +
            "check the endpoint",
        );
      } catch (error) {
        throw answer.explain(error);
      } finally {
        answer.end();
      }
    };
    const attempts = Math.min(5, client.patience.attempts); // somebody waits for the first sign of life
    return await client.persist(what, this.log, attempt, "check the network and the endpoint", attempts);
  }

  #reason({ status, headers, url }: Response): string {
    const { endpoint, token } = this.client.site;
    const host = hostOf(new URL(url));
    if (host !== hostOf(new URL(endpoint))) return `${host}, where the hub keeps it, answered ${status}`;
    const { dataset, revision } = this.wanted;
    const code = headers.get("x-error-code");
    const page = `${endpoint}/datasets/${dataset}`;
    if (code === "GatedRepo" || status === 403) {
      return token === undefined
        ? `it is given out to accounts that have accepted its terms: accept them at ${page} and set HF_TOKEN`
        : `the account of HF_TOKEN may not read it: accept its terms at ${page}`;
    }
    if (code === "EntryNotFound") {
      return "the hub lists it and has it no more: list the files anew with --force";
    }
    if (code === "RevisionNotFound") return `${dataset} has no branch, tag or commit "${revision}"`;
    if (code === "RepoNotFound" || status === 404) return `there is no ${page}: check the owner and the name`;
    if (status === 401) {
      return token === undefined
        ? `there is no ${page}, or it is private: check the name; for a private one set HF_TOKEN`
        : `${endpoint} does not take the token in HF_TOKEN`;
    }
    return `${endpoint} answered ${status}`;
  }
}

interface Json<T> {
  readonly value: T;
  readonly next: string | undefined;
}

/** `Link: <https://...>; rel="next"` */
function nextPage({ headers }: Response, address: string): string | undefined {
  const found = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(headers.get("link") ?? "")?.[1];
  return found === undefined ? undefined : new URL(found, address).href;
}

/** @throws {UserError} for a path that would leave the folder it is put in. */
function hubFile({ path, size, oid, lfs }: z.output<typeof entrySchema>): HubFile {
  const isInside = path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
  // deno-lint-ignore no-control-regex
  if (!isInside || /[\\\x00-\x1f]/.test(path)) {
    throw new UserError(
      `The hub lists a file with an unsafe name, ${JSON.stringify(path)}: nothing is fetched`,
    );
  }
  if (lfs) return { path, bytes: lfs.size, hash: { sha256: lfs.oid.replace("sha256:", "") } };
  if (oid === undefined || !/^[0-9a-f]{40}$/.test(oid)) {
    throw new UserError(`The hub gives no checksum for "${path}": check the endpoint`);
  }
  return { path, bytes: size, hash: { gitBlob: oid } };
}

type CardConfig = NonNullable<NonNullable<z.output<typeof infoSchema>["cardData"]>["configs"]>[number];

function configuration({ config_name, data_files }: CardConfig): Configuration {
  if (data_files === undefined) return { name: config_name, files: [] };
  const entries = typeof data_files === "string" ? [data_files] : data_files;
  return {
    name: config_name,
    files: entries.map((entry) =>
      typeof entry === "string" ? { split: undefined, globs: [entry] } : {
        split: entry.split === undefined ? undefined : String(entry.split),
        globs: [entry.path].flat(),
      }
    ),
  };
}
