/** A server on this machine that speaks OpenAI's protocol as a test tells it to. */

/** A request as the server saw it. */
export interface Asked {
  readonly path: string;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
  readonly authorization: string | null;
  /** From 1: how many times an equal request came until now. */
  readonly time: number;
}

/** What is answered: a value as JSON, or a whole response. */
export type Answering = (asked: Asked) => unknown | Response | Promise<unknown>;

export class FakeServer implements AsyncDisposable {
  readonly requests: Asked[] = [];
  readonly #seen = new Map<string, number>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(public answer: Answering) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const text = await request.text();
    const path = new URL(request.url).pathname;
    const time = (this.#seen.get(path + text) ?? 0) + 1;
    this.#seen.set(path + text, time);
    const asked = { path, body: JSON.parse(text), authorization: request.headers.get("authorization"), time };
    this.requests.push(asked);
    const answer = await this.answer(asked);
    return answer instanceof Response ? answer : Response.json(answer);
  }
}

/** An answer of a chat: the same text `n` times. */
export function says(content: string, n = 1): unknown {
  return { choices: Array.from({ length: n }, () => ({ message: { role: "assistant", content } })) };
}

/** An answer with the probabilities of its first token. */
export function saysProbably(probabilities: Record<string, number>): unknown {
  const top_logprobs = Object.entries(probabilities).map(([token, p]) => ({ token, logprob: Math.log(p) }));
  const best = top_logprobs.reduce((a, b) => b.logprob > a.logprob ? b : a);
  const content = [{ ...best, top_logprobs }];
  return { choices: [{ message: { content: best.token }, logprobs: { content } }] };
}

/** What stands between two lines of a prompt, such as `<continuation A>` and `</continuation A>`. */
export function partOf({ body }: Asked, name: string): string {
  const text: string = body.messages.at(-1).content;
  return text.slice(text.indexOf(`<${name}>\n`) + name.length + 3, text.indexOf(`\n</${name}>`));
}

/** An answer to a request for embeddings: letters counted, from a to h, and one. */
export function embeds({ body }: Asked): unknown {
  const data = body.input.map((text: string, index: number) => ({ index, embedding: letters(text) }));
  return { data: data.reverse() }; // the order is the index's, not the list's
}

/** The embedding that {@link embeds} gives. */
export const letters = (
  text: string,
): number[] => [1, ...[..."abcdefgh"].map((c) => text.split(c).length - 1)];

/** Later, unless the request is gone by then. */
export const after = (milliseconds: number, answer: unknown): Promise<unknown> =>
  new Promise((resolve) => setTimeout(() => resolve(answer), milliseconds));
