/**
 * HTTP as a download needs it: redirects to allowed hosts only, the token for the endpoint only, and an end to every
 * wait. Leaves out what the answers mean (hub.ts) and what becomes of their bytes (download.ts).
 */

import { hostOf, leadsTo } from "../config/hosts.ts";
import { type Failure, Lost, type Patience, persist } from "../net/patience.ts";
import { refuseTransient } from "../net/status.ts";
import { Watch } from "../net/watch.ts";
import { UserError } from "../stage/errors.ts";

export const PATIENCE: Patience = { attempts: 8, pause: 1000, longestPause: 60_000, silence: 60_000 };

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
      await refuseTransient(response);
      return {
        response,
        heard: () => watch.heard(),
        explain: (error) => watch.explain(error),
        end: () => watch.end(),
      };
    } catch (error) {
      watch.end();
      throw watch.explain(error);
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
    const failed = ({ reason, next, wait }: Failure) =>
      log(`${what}: ${reason}; attempt ${next} of ${attempts} in ${Math.ceil(wait / 1000)} s`);
    try {
      const patience = { ...this.patience, attempts };
      return await persist(attempt, { patience, stop: this.stop, bytes, failed });
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      const message = `Cannot fetch ${what}: ${error.message}, ${attempts} times in a row; ${advice}`;
      throw new UserError(message, { cause: error });
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
}

function refusedHost(url: URL, start: URL): string {
  const host = url.port === "" ? url.hostname : hostOf(url);
  return `Cannot fetch ${start}: it is redirected to ${host}, which this stage may not reach; where you trust ` +
    `that host, add it: \`--host ${host}\`, or \`hosts: [${host}]\` in a pipeline file`;
}
