/**
 * Decoding with a model's own drafts (Stern et al. 2018; Gloeckle et al. 2024, section 2.3): the heads beyond the first
 * draft, and the forward pass that verifies a draft makes the next token as well. With one head it is plain decoding.
 * Sequences of different lengths share a step, and each advances by its own acceptance.
 *
 * With K = 4, after ... "t": the sure token "h" and three drafts go in together, and come out with head 1's choices.
 *
 *     row        0     1     2     3
 *     in         h     e     _     d        h is sure; e, _ and d are drafts of heads 2, 3, 4
 *     head 1     e     _     c     o        e and _ are right; head 1 has c where the draft was d
 *     kept       h     e     _              3 positions stay in the cache
 *     out        e     _     c              3 tokens in one forward pass; c is sure, and heads 2, 3, 4 of row 2 draft
 */
import { type Decoder, type Drafter, type KvCache, pick, type Rows } from "../model/mod.ts";
import { Places, Scope, type Tensor } from "../torch/mod.ts";
import { type Draft, isChain } from "./draft.ts";
import { DraftLength } from "./draft_length.ts";
import { Drafting } from "./drafting.ts";
import { Parts } from "./parts.ts";
import { distributionsOf, forChoices, greedyChoices, isGreedy, onCpu, penalizeRows } from "./sampling.ts";
import { type Decoded, type Request, Sequence } from "./sequence.ts";
import { checkRequests, type Settings } from "./settings.ts";
import { type Verdict, verifyGreedy, verifySampled, verifyTypical } from "./verify.ts";

/** What a step gave one request. */
export interface Step {
  readonly index: number;
  readonly tokens: readonly number[];
  /** Which of them came from accepted drafts. */
  readonly drafted: readonly boolean[];
}

/**
 * Decodes requests, and tells after each forward pass what it gave; `next()` may name requests that have enough. Returns
 * the results in the order of the requests.
 *
 * @throws {RangeError} when a request does not fit the context, or the settings do not fit the model.
 * @throws {TorchError} when the model's logits are not finite.
 */
export function* decodeSteps(
  decoder: Decoder,
  requests: readonly Request[],
  settings: Settings,
  parts = new Parts(),
): Generator<Step[], Decoded[], readonly number[] | undefined> {
  using engine = new Engine(decoder, requests, settings, parts);
  while (!engine.isDone) engine.end(yield engine.step());
  return engine.results;
}

/** {@link decodeSteps} to the end. */
export function decode(
  decoder: Decoder,
  requests: readonly Request[],
  settings: Settings,
  parts = new Parts(),
): Decoded[] {
  const steps = decodeSteps(decoder, requests, settings, parts);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Rows of one step: those of a sequence begin at `first`; its last sure token is row `root`. */
interface Placed {
  readonly sequence: Sequence;
  readonly first: number;
  readonly root: number;
  /** Where its rows begin among those that head 1 looks at: of the last sure token and the drafts of each sequence. */
  readonly looked: number;
}

/** What a step gave one sequence. */
interface AcceptedStep {
  readonly sequence: Sequence;
  /** Accepted nodes of its draft. */
  readonly path: readonly number[];
  /** Its rows that stay, and their tokens. */
  readonly rows: readonly number[];
  readonly ids: readonly number[];
  /** The token that is sure now. */
  readonly next: number;
  /** New tokens of the output. */
  readonly tokens: readonly number[];
}

/** Of plain decoding. */
const NO_DRAFTER: Drafter = { draft: () => {}, reset: () => {}, [Symbol.dispose]: () => {} };

class Engine implements Disposable {
  readonly results: Decoded[] = [];
  readonly #cache: KvCache;
  readonly #drafter: Drafter;
  readonly #waiting: { readonly request: Request; readonly index: number }[];
  readonly #free: number[];
  #active: Sequence[] = [];
  /** Those of the step that is made. */
  readonly #places = new Places(64);
  readonly #length: DraftLength;
  /** Heads that made the drafts of the next step. */
  #heads = 1;
  /** Milliseconds that these took to make. */
  #drafted = 0;
  /** Holds what those drafts were drawn from. */
  #drafting: Drafting | null = null;

  constructor(
    readonly decoder: Decoder,
    requests: readonly Request[],
    readonly settings: Settings,
    readonly parts: Parts,
  ) {
    checkRequests(decoder, requests, settings);
    const slots = Math.min(settings.batch, requests.length);
    const longest = Math.max(0, ...requests.map(({ prompt, newTokens }) => prompt.length + newTokens));
    const heads = settings.heads === "auto" ? decoder.headCount : settings.heads;
    const nodes = settings.tree > 1 ? settings.treeNodes : heads - 1;
    this.#length = new DraftLength(heads, settings.heads === "auto");
    this.#cache = decoder.newCache(slots, longest + nodes);
    this.#drafter = heads > 1 ? decoder.newDrafter(slots, longest) : NO_DRAFTER;
    this.#waiting = requests.map((request, index) => ({ request, index }));
    this.#free = Array.from({ length: slots }, (_, slot) => slot);
    this.#admit();
  }

  get isDone(): boolean {
    return this.#active.length === 0;
  }

  /** One forward pass. */
  step(): Step[] {
    using _scope = new Scope();
    const { parts, decoder } = this;
    parts.begin();
    const placed = this.#place();
    const ids: number[] = [];
    for (const { sequence: { sure, draft } } of placed) ids.push(...sure, ...draft.tokens);
    const places = this.#placesOf(placed);
    parts.lap("bookkeeping", decoder);
    const rows = decoder.step(ids, places, this.#cache);
    parts.lap("trunk", decoder);
    const logits = decoder.logits(lookedAt(rows, placed));
    parts.lap("heads", decoder);
    const verdicts = this.#verify(placed, logits);
    parts.lap("sampling", decoder);
    const verifying = parts.untilLap;
    this.#drafting?.[Symbol.dispose]();
    this.#drafting = null;
    const accepted = placed.map((of, i) => this.#accept(of, verdicts[i]!));
    if (this.#length.isAuto) this.#observe(placed, ids.length, verifying);
    this.#draft(rows, accepted);
    this.#drafted = parts.untilLap - verifying;
    this.#retire();
    parts.lap("bookkeeping", decoder);
    return accepted.map(({ sequence: { index }, tokens, path }) => ({
      index,
      tokens,
      drafted: tokens.map((_, i) => i < path.length),
    }));
  }

  /** What the drafts that were verified cost: their making, in the step before, and the verifying. */
  #observe(placed: readonly Placed[], rows: number, verifying: number): void {
    this.#length.observe(
      this.#heads,
      rows,
      this.#drafted + verifying,
      placed.map(({ sequence }) => sequence),
    );
  }

  /** Takes requests in where a slot is free. */
  #admit(): void {
    while (this.#free.length > 0 && this.#waiting.length > 0) {
      const { request, index } = this.#waiting.shift()!;
      const slot = this.#free.shift()!;
      this.#cache.truncate(slot, 0);
      this.#drafter.reset(slot);
      const sequence = new Sequence(request, index, slot, this.#length.most, this.settings.seed);
      this.results[index] = sequence;
      if (sequence.isDone) this.#free.unshift(slot); // no token is wanted
      else this.#active.push(sequence);
    }
    this.#active.sort((a, b) => a.slot - b.slot);
  }

  /** Goes on without these requests: others take their places. */
  end(indices: readonly number[] = []): void {
    if (indices.length === 0) return;
    for (const sequence of this.#active) if (indices.includes(sequence.index)) sequence.end();
    this.#retire();
  }

  #retire(): void {
    const done = this.#active.filter(({ isDone }) => isDone);
    if (done.length === 0) return;
    this.#active = this.#active.filter(({ isDone }) => !isDone);
    this.#free.push(...done.map(({ slot }) => slot));
    this.#admit();
  }

  #place(): Placed[] {
    let [row, look] = [0, 0];
    return this.#active.map((sequence) => {
      const { sure, draft } = sequence;
      const [first, looked] = [row, look];
      row += sure.length + draft.tokens.length;
      look += 1 + draft.tokens.length;
      return { sequence, first, root: first + sure.length - 1, looked };
    });
  }

  #placesOf(placed: readonly Placed[]): Places {
    const places = this.#places;
    places.clear();
    for (const { sequence: { slot, sure, draft } } of placed) {
      const start = this.#cache.length(slot);
      sure.forEach((_, i) => places.add(slot, start + i));
      const prefix = start + sure.length;
      if (isChain(draft)) draft.tokens.forEach((_, i) => places.add(slot, prefix + i));
      else addTree(places, slot, prefix, draft);
      this.#cache.advance(slot, sure.length + draft.tokens.length);
    }
    return places;
  }

  /** A verdict for each sequence; `logits`: head 1's, of what it looks at. */
  #verify(placed: readonly Placed[], logits: Tensor): Verdict[] {
    const { sampling, acceptance } = this.settings;
    const [greedy, lossless] = [isGreedy(sampling), acceptance === "exact"];
    const own = greedy && lossless ? forChoices(logits, sampling) : onCpu(logits);
    penalizeRows(own, () => placed.flatMap(({ sequence }) => sequence.seenByNode()), sampling);
    const chosen = greedy ? greedyChoices(own) : [];
    return placed.map(({ sequence: { draft, random }, looked }) => {
      const end = looked + 1 + draft.tokens.length;
      if (greedy && lossless) return verifyGreedy(draft, chosen.slice(looked, end));
      const p = distributionsOf(own.slice(0, looked, end), sampling);
      if (lossless) return verifySampled(draft, p, random);
      const next = (node: number) => greedy ? chosen[looked + 1 + node]! : p.draw(1 + node, random.unit());
      return verifyTypical(draft, p, next);
    });
  }

  /** Keeps the accepted rows of a sequence in the cache, in one piece, and takes their tokens in. */
  #accept({ sequence, first, root }: Placed, { path, next }: Verdict): AcceptedStep {
    const { slot, sure, draft } = sequence;
    const start = this.#cache.length(slot) - draft.tokens.length; // behind the sure tokens
    path.forEach((node, i) => {
      if (node !== i) this.#cache.move(slot, start + node, start + i);
    });
    this.#cache.truncate(slot, start + path.length);
    const rows = [...count(first, sure.length), ...path.map((node) => root + 1 + node)];
    const ids = [...sure, ...path.map((node) => draft.tokens[node]!)];
    return { sequence, path, rows, ids, next, tokens: sequence.accept(path, next) };
  }

  /** Drafts for the sequences that go on. */
  #draft(rows: Rows, accepted: readonly AcceptedStep[]): void {
    const { decoder, parts } = this;
    const going = accepted.filter(({ sequence }) => sequence.wanted > 1);
    this.#heads = this.#length.next();
    // Heads with keys and values of their own have to see all accepted rows, whether they draft this time or not.
    const depth = decoder.draftsFromLastRow ? this.#heads : this.#length.most;
    if (depth < 2 || going.length === 0) return;
    const sequences = going.map(({ sequence: { slot }, rows, ids, next }) => ({
      sequence: slot,
      rows,
      ids,
      next,
    }));
    const drafting = this.#drafting = new Drafting(going.map(({ sequence }) => sequence), this.settings);
    parts.lap("bookkeeping", decoder);
    this.#drafter.draft({ rows, sequences }, depth, (logits, heads) => {
      parts.lap("heads", decoder);
      const chosen = drafting.choose(logits, heads);
      parts.lap("sampling", decoder);
      return chosen;
    });
    parts.lap("heads", decoder);
    drafting.finish(this.#heads);
  }

  [Symbol.dispose](): void {
    this.#drafting?.[Symbol.dispose]();
    this.#cache[Symbol.dispose]();
    this.#drafter[Symbol.dispose]();
  }
}

/** What head 1 looks at: the last sure token of each sequence and its drafts, which are all rows but those of prompts. */
function lookedAt({ first }: Rows, placed: readonly Placed[]): Tensor {
  if (placed.every(({ sequence: { sure } }) => sure.length === 1)) return first;
  return pick(first, placed.flatMap(({ sequence, root }) => count(root, sequence.draft.tokens.length + 1)));
}

/** A node sees the prefix, the nodes on its way, and itself. */
function addTree(places: Places, slot: number, prefix: number, { parents }: Draft): void {
  const branches: number[] = [];
  const depths: number[] = [];
  parents.forEach((parent, node) => {
    branches.push((parent === -1 ? 0 : branches[parent]!) | (1 << node));
    depths.push(parent === -1 ? 0 : depths[parent]! + 1);
    places.addBranch(slot, prefix + node, prefix + depths[node]!, prefix, branches[node]!);
  });
}

function count(from: number, length: number): number[] {
  const all: number[] = [];
  for (let i = 0; i < length; i++) all.push(from + i);
  return all;
}
