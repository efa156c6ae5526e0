/** One sequence on its way: what is known, what is drafted, what came out. */
import { Random } from "../data/random.ts";
import { type Draft, NO_DRAFT, pathTo } from "./draft.ts";

/** What is to be continued. */
export interface Request {
  /** Token ids; at least one. */
  readonly prompt: readonly number[];
  /** Most new tokens; the prompt and they fit the context together. */
  readonly newTokens: number;
  /** Decoding ends with any of these tokens, which is part of the output. */
  readonly stop: ReadonlySet<number>;
}

/** Drafts of one depth: head `depth` made them; a draft counts as proposed when all before it were accepted. */
export interface DraftCount {
  proposed: number;
  accepted: number;
}

/** What came out. */
export interface Decoded {
  /** New token ids. */
  readonly tokens: readonly number[];
  /** Which of them came from accepted drafts. */
  readonly drafted: readonly boolean[];
  /** Forward passes behind the prompt's own, which gives the first token. */
  readonly forwards: number;
  /** By depth, from head 2 on. */
  readonly drafts: readonly DraftCount[];
}

export class Sequence implements Decoded {
  readonly tokens: number[] = [];
  readonly drafted: boolean[] = [];
  readonly drafts: DraftCount[];
  readonly random: Random;
  forwards = -1; // the prompt's
  /** Goes into the next step, and stays there: the prompt, then the token that head 1 chose last. */
  sure: readonly number[];
  draft: Draft = NO_DRAFT;
  /** Depths that the last draft had, and how many of them were accepted. */
  lastDraft = { proposed: 0, accepted: 0 };
  /** Tokens of the prompt and the output, for the repetition penalty. */
  readonly #seen: Set<number>;
  isDone: boolean;

  /**
   * @param index Of the request.
   * @param slot Its number in the caches.
   * @param seed Of its random numbers, with `index`: what it draws does not depend on the sequences beside it.
   */
  constructor(
    readonly request: Request,
    readonly index: number,
    readonly slot: number,
    heads: number,
    seed: number,
  ) {
    this.sure = request.prompt;
    this.drafts = Array.from({ length: heads - 1 }, () => ({ proposed: 0, accepted: 0 }));
    this.random = new Random(seed, index);
    this.#seen = new Set(request.prompt);
    this.isDone = request.newTokens <= 0;
  }

  /** Tokens that are still wanted. */
  get wanted(): number {
    return this.isDone ? 0 : this.request.newTokens - this.tokens.length;
  }

  /** What stands before the token behind the sure token, and behind each node of the draft. */
  seenByNode(): ReadonlySet<number>[] {
    const { tokens } = this.draft;
    return [
      this.#seen,
      ...tokens.map((_, node) => this.seenWith(pathTo(this.draft, node).map((at) => tokens[at]!))),
    ];
  }

  /** What stands before the token behind `drafts` that follow the sure token. */
  seenWith(drafts: readonly number[]): ReadonlySet<number> {
    return new Set([...this.#seen, ...drafts]);
  }

  /** Takes in a verdict; returns the tokens that are new. */
  accept(path: readonly number[], next: number): number[] {
    this.#count(path.length);
    const tokens = [...path.map((node) => this.draft.tokens[node]!), next];
    const stopped = tokens.findIndex((token) => this.request.stop.has(token));
    const fresh = stopped === -1 ? tokens : tokens.slice(0, stopped + 1);
    this.tokens.push(...fresh);
    fresh.forEach((token, i) => {
      this.drafted.push(i < path.length);
      this.#seen.add(token);
    });
    this.isDone = stopped !== -1 || this.tokens.length >= this.request.newTokens;
    this.forwards++;
    this.sure = [next];
    this.draft = NO_DRAFT;
    return fresh;
  }

  /** Whoever asked has enough. */
  end(): void {
    this.isDone = true;
  }

  /** A draft counts as proposed where all before it on the way were accepted. */
  #count(accepted: number): void {
    const { parents } = this.draft;
    const depths: number[] = [];
    let deepest = 0;
    for (const parent of parents) {
      const depth = parent === -1 ? 1 : depths[parent]! + 1;
      depths.push(depth);
      deepest = Math.max(deepest, depth);
    }
    this.lastDraft = { proposed: deepest, accepted };
    for (let depth = 0; depth < deepest && depth <= accepted; depth++) {
      this.drafts[depth]!.proposed++;
      if (depth < accepted) this.drafts[depth]!.accepted++;
    }
  }
}
