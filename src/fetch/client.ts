/**
 * HTTP as a download needs it: redirects to allowed hosts only, the token for the endpoint only, and an end to every
 * wait. Leaves out what the answers mean (hub.ts) and what becomes of their bytes (download.ts).
 */

import { hostOf, leadsTo } from "../config/hosts.ts";
import { Interrupted, UserError } from "../stage/errors.ts";

/** How long to wait, and how often to try. Milliseconds. */
export interface Patience {
  /** Attempts in a row that bring nothing. */
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one. */
  readonly pause: number;
  readonly longestPause: number;
  /** Without a byte, before a connection counts as lost. */
  readonly silence: number;
}

export const PATIENCE: Patience = { attempts: 8, pause: 1000, longestPause: 60_000, silence: 60_000 };

/** What may be better on the next attempt. */
export class Lost extends Error {
  override readonly name = "Lost";

  /** @param after Milliseconds that the server asks to wait. */
  constructor(message: string, readonly after?: number) {
    super(message);
  }
}

/** Where requests go. */
export interface Site {
  readonly endpoint: string;
  /** `host:port` of all that may be reached. */
  readonly hosts: readonly string[];
  readonly token: string | undefined;
}

/** An answer whose body has to be read, or cancelled. */
export interface Answer {
  readonly response: Response;
  /** Pushes the moment away at which silence counts as a lost connection. */
  heard(): void;
  /** What an error on the way of the body means. */
  explain(error: unknown): unknown;
  /** Ends the watch over silence; needed once for each answer. */
  end(): void;
}

const MOST_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];
/** What a server says when another attempt may do better. */
const TRANSIENT = [408, 425, 429, 500, 502, 503, 504];

export class Client {
  constructor(readonly site: Site, readonly patience: Patience, readonly stop: AbortSignal) {}

  /**
   * One request, redirects followed. Statuses that may pass are thrown, others returned.
   *
   * @throws {Lost} where another attempt may do better
   * @throws {UserError} where a redirect leads to a host that the stage may not reach
   */
  async get(address: string, headers: Record<string, string> = {}): Promise<Answer> {
    const watch = new Watch(this.patience.silence, this.stop);
    try {
      const response = await this.#follow(new URL(address), headers, watch.signal);
      if (!TRANSIENT.includes(response.status)) {
        return {
          response,
          heard: () => watch.heard(),
          explain: (error) => this.#explained(error, watch),
          end: () => watch.end(),
        };
      }
      await response.body?.cancel();
      throw new Lost(`the server answered ${response.status}`, retryAfter(response));
    } catch (error) {
      watch.end();
      throw this.#explained(error, watch);
    }
  }

  /**
   * Tries until an attempt succeeds or so many in a row have brought nothing.
   *
   * @param advice What to do when it has failed.
   * @param bytes What is there by now: an attempt that adds to it counts as none.
   * @throws {UserError} after `attempts` of them
   */
  async persist<T>(
    what: string,
    log: (line: string) => void,
    attempt: () => Promise<T>,
    advice: string,
    attempts = this.patience.attempts,
    bytes = () => 0,
  ): Promise<T> {
    const { pause, longestPause } = this.patience;
    for (let failures = 0, had = bytes();;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        failures = bytes() > had ? 1 : failures + 1;
        had = bytes();
        if (failures >= attempts) {
          throw new UserError(
            `Cannot fetch ${what}: ${error.message}, ${attempts} times in a row; ${advice}`,
            {
              cause: error,
            },
          );
        }
        // Half of it by chance: many who were sent away together do not come back together.
        const backoff = Math.min(longestPause, pause * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
        const wait = Math.max(backoff, Math.min(error.after ?? 0, 5 * longestPause));
        log(
          `${what}: ${error.message}; attempt ${failures + 1} of ${attempts} in ${Math.ceil(wait / 1000)} s`,
        );
        await this.#sleep(wait);
      }
    }
  }

  async #follow(start: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const { endpoint, hosts, token } = this.site;
    let url = start;
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      if (!leadsTo(url, hosts)) throw new UserError(refusedHost(url, start));
      const isOwn = hostOf(url) === hostOf(new URL(endpoint));
      const response = await fetch(url, {
        headers: {
          "accept-encoding": "identity", // sizes and checksums are those of the file as it is
          ...headers,
          ...(isOwn && token !== undefined ? { authorization: `Bearer ${token}` } : {}),
        },
        redirect: "manual",
        signal,
      });
      const location = response.headers.get("location");
      if (!REDIRECTS.includes(response.status) || location === null) return response;
      await response.body?.cancel();
      url = new URL(location, url);
    }
    throw new UserError(`Cannot fetch ${start}: more than ${MOST_REDIRECTS} redirects`);
  }

  #explained(error: unknown, { isLate }: Watch): unknown {
    if (this.stop.aborted) return new Interrupted("stopped");
    if (isLate) return new Lost(`nothing came for ${this.patience.silence / 1000} s`);
    if (error instanceof TypeError && /requests to port \d+ are blocked/i.test(error.message)) {
      return new UserError(`Cannot fetch: ${error.message}`, { cause: error });
    }
    const reason = networkReason(error);
    if (reason?.includes("certificate")) {
      return new UserError(
        `Cannot fetch: ${reason}; set DENO_TLS_CA_STORE=system to trust what this machine trusts, or DENO_CERT to a ` +
          "file with the site's own certificate",
        { cause: error },
      );
    }
    return reason === undefined ? error : new Lost(reason);
  }

  #sleep(milliseconds: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stopped = () => {
      clearTimeout(timer);
      reject(new Interrupted("stopped"));
    };
    const timer = setTimeout(() => {
      this.stop.removeEventListener("abort", stopped);
      resolve();
    }, milliseconds);
    if (this.stop.aborted) stopped();
    else this.stop.addEventListener("abort", stopped, { once: true });
    return promise;
  }
}

/** Aborts a request when nothing was heard for a while, or when the stage is told to stop. */
class Watch {
  readonly #controller = new AbortController();
  readonly #forward: () => void;
  #timer: ReturnType<typeof setTimeout>;
  isLate = false;

  constructor(readonly silence: number, readonly stop: AbortSignal) {
    this.#timer = this.#start();
    this.#forward = () => this.#controller.abort();
    if (stop.aborted) this.#forward();
    else stop.addEventListener("abort", this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.stop.removeEventListener("abort", this.#forward);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.isLate = true;
      this.#controller.abort();
    }, this.silence);
  }
}

function refusedHost(url: URL, start: URL): string {
  const host = url.port === "" ? url.hostname : hostOf(url);
  return `Cannot fetch ${start}: it is redirected to ${host}, which this stage may not reach; where you trust ` +
    `that host, add it: \`--host ${host}\`, or \`hosts: [${host}]\` in a pipeline file`;
}

/** Milliseconds that the server asks to wait: a number of seconds or a date. */
function retryAfter({ headers }: Response): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

/** The reason where a connection was refused, reset or cut, a host or its certificate is unknown; else undefined. */
function networkReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error.cause instanceof Error ? error.cause : error;
  const isOfFetch = error instanceof TypeError &&
    /^(error sending request|error reading a body|request or response body)/i.test(message);
  if (!isOfFetch && !CONNECTION_ERRORS.some((kind) => error instanceof kind)) return undefined;
  return message.replace(/^error sending request for url \(.*?\): (client error \(\w+\): )?/, "")
    .replace(/ \(os error \d+\)/g, "");
}

const { ConnectionRefused, ConnectionReset, ConnectionAborted, BrokenPipe, TimedOut, UnexpectedEof, Http } =
  Deno.errors;
const CONNECTION_ERRORS = [
  ConnectionRefused,
  ConnectionReset,
  ConnectionAborted,
  BrokenPipe,
  TimedOut,
  UnexpectedEof,
  Http,
];
