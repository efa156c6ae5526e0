/**
 * A server that speaks OpenAI's protocol. Each request is made with patience, its answer checked and kept. An item that
 * stays without an answer is {@link Unanswered}; what would fail for every item ends the stage with a sentence.
 */

import type * as z from "zod";
import type { ServerConfig } from "../../config/schema.ts";
import { KEY_VARIABLES } from "../../config/schema/generation.ts";
import { Lost, persist } from "../../net/patience.ts";
import { refuseTransient } from "../../net/status.ts";
import { Watch } from "../../net/watch.ts";
import { UserError } from "../../stage/errors.ts";
import type { Answers } from "./answers.ts";

/** This request has no answer that could be used; others may have. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";

  /** @param status Of a server that refuses this request. */
  constructor(message: string, readonly status?: number) {
    super(message);
  }
}

/** Milliseconds between attempts. */
export interface Pauses {
  readonly pause: number;
  readonly longestPause: number;
}

export const PAUSES: Pauses = { pause: 1000, longestPause: 60_000 };

/** What a server needs besides its settings. */
export interface Surroundings {
  readonly key: string | undefined;
  readonly answers: Answers;
  readonly pauses: Pauses;
  log(line: string): void;
}

/** Requests to one server. */
export class Server {
  constructor(readonly config: ServerConfig, readonly surroundings: Surroundings) {}

  /**
   * The answer to a request, from the file where an equal one was answered before.
   *
   * @param path Below the endpoint: `embeddings`.
   * @throws {Unanswered} after all attempts, or where the server refuses this one request
   * @throws {UserError} where it refuses the key or has no such path or model
   */
  async ask<T>(path: string, request: object, schema: z.ZodType<T>, stop: AbortSignal): Promise<T> {
    const { endpoint, model, attempts, timeout } = this.config;
    const { answers, pauses, log } = this.surroundings;
    const address = `${endpoint}/${path}`;
    const body = JSON.stringify({ model, ...request });
    const before = answers.find(address, body);
    const known = schema.safeParse(before);
    if (before !== undefined && known.success) return known.data;
    try {
      const answer = await persist(() => this.#post(address, body, schema, stop), {
        patience: { ...pauses, attempts, silence: timeout * 1000 },
        stop,
        failed: ({ reason, next, wait }) =>
          log(`${endpoint}: ${reason}; attempt ${next} of ${attempts} in ${Math.ceil(wait / 1000)} s`),
      });
      answers.keep(address, body, answer);
      return answer;
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      throw new Unanswered(`${error.message}, ${attempts === 1 ? "once" : `${attempts} times in a row`}`);
    }
  }

  async #post<T>(address: string, body: string, schema: z.ZodType<T>, stop: AbortSignal): Promise<T> {
    const { key } = this.surroundings;
    const watch = new Watch(this.config.timeout * 1000, stop);
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body,
        redirect: "manual", // another host is not this stage's to reach
        signal: watch.signal,
      });
      await refuseTransient(response);
      if (!response.ok) throw await this.#refusal(response, address);
      return parsed(await response.text(), schema);
    } catch (error) {
      throw watch.explain(error);
    } finally {
      watch.end();
    }
  }

  /** What a status says that no further attempt will change. */
  async #refusal(response: Response, address: string): Promise<Error> {
    const { status, headers } = response;
    const said = reasonIn(await response.text(), (text) => this.#withoutKey(text));
    const answer = said === "" ? String(status) : `${status}: ${said}`;
    const { endpoint, model, key_env } = this.config;
    if (status === 401 || status === 403) {
      const advice = key_env === undefined
        ? `name the variable that holds its key in key_env (${KEY_VARIABLES.join(" or ")})`
        : `check the key in ${key_env}`;
      return new UserError(`${endpoint} refuses the request (${answer}): ${advice}`);
    }
    if (status === 404) {
      return new UserError(
        `${address} is not there for the model ${model} (${answer}): check endpoint and model`,
      );
    }
    const location = headers.get("location");
    if (status >= 300 && status < 400 && location !== null) {
      return new UserError(
        `${address} sends requests on to ${
          this.#withoutKey(location)
        }: name that server as endpoint if you trust it`,
      );
    }
    return new Unanswered(`the server answered ${answer}`, status);
  }

  /** What a server says goes into logs, and some echo the request's headers. */
  #withoutKey(text: string): string {
    const { key } = this.surroundings;
    if (key === undefined || key === "") return text;
    return text.replaceAll(key, "***").replaceAll(encodeURIComponent(key), "***");
  }
}

/** The value of a JSON text as the schema has it. @throws {Lost} where it is something else. */
function parsed<T>(text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Lost("the answer is no JSON");
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new Lost(`the answer is not what the protocol says (${path.join(".") || "it"}: ${message})`);
}

/** What the body of an error says: OpenAI's form, else its beginning; `clean` sees it before it is cut. */
function reasonIn(text: string, clean: (text: string) => string): string {
  let said: unknown = text;
  try {
    said = JSON.parse(text)?.error?.message ?? text;
  } catch {
    // no JSON: as it is
  }
  const line = clean(String(said)).replace(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
