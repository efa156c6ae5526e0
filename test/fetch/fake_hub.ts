/** A hub on this machine that speaks the paths of the real one, and misbehaves as it is told. */

import { createHash } from "node:crypto";

/** A file of the data set. */
export interface Content {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the hub keeps it as a large file, with a SHA-256; else as a git blob, with a SHA-1. */
  readonly large: boolean;
}

/** What a request for a file was. */
export interface FileRequest {
  readonly path: string;
  /** From 1: how many times this file was asked for until now. */
  readonly time: number;
  readonly range: string | null;
  readonly authorization: string | null;
}

/** Another answer than the right one, or undefined for that. */
export type Mischief = (
  request: FileRequest,
  right: () => Response,
) => Response | Promise<Response> | undefined;

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export class FakeHub implements AsyncDisposable {
  readonly files = new Map<string, Content>();
  /** All requests for files, in order. */
  readonly requests: FileRequest[] = [];
  /** Paths of requests to the API. */
  readonly api: string[] = [];
  commit = COMMIT;
  card: unknown = { license: "odc-by" };
  /** Entries a page of the list of files. */
  page = 1000;
  mischief: Mischief = () => undefined;
  /** The same for the API. */
  apiMischief: (path: string, time: number) => Response | undefined = () => undefined;
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => this.#answer(request),
  );

  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  add(path: string, bytes: Uint8Array<ArrayBuffer> | string, large = true): void {
    this.files.set(path, {
      bytes: typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes,
      large,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  #answer(request: Request): Response | Promise<Response> {
    const url = new URL(request.url);
    const path = decodeURIComponent(url.pathname);
    if (path.startsWith("/api/")) {
      this.api.push(path + url.search);
      const time = this.api.filter((earlier) => earlier === path + url.search).length;
      return this.apiMischief(path, time) ?? this.#apiAnswer(path, url);
    }
    const name = /^\/datasets\/[^/]+\/[^/]+\/resolve\/[0-9a-f]+\/(.+)$/.exec(path)?.[1] ?? path.slice(1);
    const headers = request.headers;
    const asked: FileRequest = {
      path: name,
      time: this.requests.filter((earlier) => earlier.path === name).length + 1,
      range: headers.get("range"),
      authorization: headers.get("authorization"),
    };
    this.requests.push(asked);
    const content = this.files.get(name);
    if (!content) {
      return this.mischief(asked, () => new Response(null, { status: 404 })) ?? notFound("EntryNotFound");
    }
    return this.mischief(asked, () => ranged(content, asked.range)) ?? ranged(content, asked.range);
  }

  #apiAnswer(path: string, url: URL): Response {
    const [, dataset, rest] = /^\/api\/datasets\/([^/]+\/[^/]+)(\/.*)$/.exec(path)!;
    if (dataset !== "owner/texts") return notFound("RepoNotFound", 401);
    if (rest === "/revision/main" || rest === `/revision/${this.commit}`) {
      return Response.json({ id: dataset, sha: this.commit, cardData: this.card });
    }
    if (rest !== `/tree/${this.commit}`) return notFound("RevisionNotFound");
    const start = Number(url.searchParams.get("cursor") ?? 0);
    const end = start + this.page;
    const entries = [{ type: "directory", path: "data", size: 0, oid: "0".repeat(40) }, ...this.#entries()];
    const next = `${this.endpoint}${path}?recursive=true&cursor=${end}`;
    const headers: HeadersInit = end < entries.length ? { link: `<${next}>; rel="next"` } : {};
    return Response.json(entries.slice(start, end), { headers });
  }

  #entries(): unknown[] {
    return [...this.files].map(([path, { bytes, large }]) => {
      const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const entry = { type: "file", path, size: bytes.length, oid: large ? "1".repeat(40) : oid };
      return large ? { ...entry, lfs: { oid: sha256, size: bytes.length, pointerSize: 134 } } : entry;
    });
  }
}

function notFound(code: string, status = 404): Response {
  return new Response(null, { status, headers: { "x-error-code": code } });
}

/** The right answer to a request with or without a range. */
export function ranged({ bytes }: Content, range: string | null): Response {
  const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}"`;
  const from = /^bytes=(\d+)-$/.exec(range ?? "")?.[1];
  if (from === undefined) return new Response(bytes, { headers: { etag } });
  if (Number(from) >= bytes.length) return new Response(null, { status: 416 });
  const rest = bytes.subarray(Number(from));
  const contentRange = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
  return new Response(rest, { status: 206, headers: { etag, "content-range": contentRange } });
}

/** An answer whose connection ends after so many bytes of its body. */
export async function cutAfter(bytes: number, right: Response): Promise<Response> {
  const whole = new Uint8Array(await right.arrayBuffer());
  const headers = new Headers(right.headers);
  headers.set("content-length", String(whole.length));
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(whole.subarray(0, bytes)),
    pull: async (controller) => {
      await new Promise((resolve) => setTimeout(resolve, 20)); // else the bytes go with the connection
      controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status: right.status, headers });
}
