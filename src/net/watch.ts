/** A watch over one request: it ends when nothing is heard for a while, or when the stage is told to stop. */

import { Interrupted, UserError } from "../stage/errors.ts";
import { Lost } from "./patience.ts";

/** Aborts a request; {@link Watch.end} is needed once for each. */
export class Watch {
  readonly #controller = new AbortController();
  readonly #forward: () => void;
  #timer: ReturnType<typeof setTimeout>;
  #isLate = false;

  /** @param silence Milliseconds without {@link heard} before the connection counts as lost. */
  constructor(readonly silence: number, readonly stop: AbortSignal) {
    this.#timer = this.#start();
    this.#forward = () => this.#controller.abort();
    if (stop.aborted) this.#forward();
    else stop.addEventListener("abort", this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Pushes the moment away at which silence counts as a lost connection. */
  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.stop.removeEventListener("abort", this.#forward);
  }

  /** What an error on the way means: {@link Interrupted}, {@link Lost}, a {@link UserError}, or itself. */
  explain(error: unknown): unknown {
    if (this.stop.aborted) return new Interrupted("stopped");
    if (this.#isLate) return new Lost(`nothing came for ${this.silence / 1000} s`);
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

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#isLate = true;
      this.#controller.abort();
    }, this.silence);
  }
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
