/** `foretoken watch`: a page on this machine that draws a run while it goes on. It reads the run's folder and writes nothing. */
import { createHash } from "node:crypto";
import { UserError } from "../stage/errors.ts";
import { livePage, liveSection } from "./page.ts";
import { WatchedRun } from "./run.ts";

/** The only address that is listened on: nobody else on the network sees the run. */
const HOST = "127.0.0.1";

const CLIENT = Deno.readTextFileSync(new URL("client.js", import.meta.url));

/** What a browser may do with the page: nothing that is not of this server. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

/**
 * Serves the page of a run until it is shut down.
 *
 * @param folder The run's folder.
 * @param port 0: any that is free.
 * @param listening Told the page's address.
 * @throws {UserError} where there is no such run, or the port is taken
 */
export function watch(
  folder: string,
  { port }: { readonly port: number },
  listening: (address: string) => void,
): Deno.HttpServer<Deno.NetAddr> {
  const run = new WatchedRun(folder);
  const onListen = ({ port }: Deno.NetAddr) => listening(`http://${HOST}:${port}/`);
  try {
    return Deno.serve({ hostname: HOST, port, onListen }, (request) => answer(request, run));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    throw new UserError(`Port ${port} is taken by another program: choose another one with --port`, {
      cause,
    });
  }
}

/** Answers one request; exported for tests. */
export function answer(request: Request, run: WatchedRun): Response {
  const { hostname, pathname } = new URL(request.url);
  // A page elsewhere may have its own name point at this machine, and then read what this server says.
  if (hostname !== HOST && hostname !== "localhost") return refusal(403, `This page is at http://${HOST}`);
  if (request.method !== "GET" && request.method !== "HEAD") return refusal(405, "Only GET is answered");
  switch (pathname) {
    case "/":
      return reply("text/html", livePage(run.snapshot()));
    case "/live":
      return fragment(request, liveSection(run.snapshot()).source);
    case "/client.js":
      return reply("text/javascript", CLIENT);
    default:
      return refusal(404, "There is only /");
  }
}

/** The changing part of the page, or that it has not changed. */
function fragment(request: Request, body: string): Response {
  const etag = `"${createHash("sha256").update(body).digest("hex")}"`;
  if (request.headers.get("if-none-match") === etag) {
    return new Response(null, { status: 304, headers: { ...HEADERS, etag } });
  }
  return reply("text/html", body, { etag });
}

const reply = (type: string, body: string, more: Record<string, string> = {}): Response =>
  new Response(body, { headers: { ...HEADERS, "content-type": `${type}; charset=utf-8`, ...more } });

const refusal = (status: number, why: string): Response =>
  new Response(`${why}\n`, { status, headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" } });
