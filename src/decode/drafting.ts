/** The making of drafts: which tokens the heads beyond the first propose behind each sequence's sure token. */
import { Distributions, likeliest, type Tensor, unscoped } from "../torch/mod.ts";
import { type Candidate, chain, likeliestTree, prune } from "./draft.ts";
import {
  distributionsOf,
  forChoices,
  greedyChoices,
  isGreedy,
  onCpu,
  penalizeRows,
  type Sampling,
} from "./sampling.ts";
import type { Sequence } from "./sequence.ts";

/** How drafts are chosen: the likeliest token of each head, a few of each for a tree, or tokens drawn from the heads. */
export interface DraftSettings {
  readonly sampling: Sampling;
  readonly acceptance: "exact" | "typical";
  /** Candidates of each head. */
  readonly tree: number;
  readonly treeNodes: number;
}

/** Drafts of one step, for the sequences that go on. Drawn drafts keep what they were drawn from until disposed. */
export class Drafting implements Disposable {
  readonly #drafts: readonly SequenceDraft[];
  readonly #drawnFrom: Tensor[] = [];

  constructor(sequences: readonly Sequence[], readonly settings: DraftSettings) {
    this.#drafts = sequences.map((sequence) => new SequenceDraft(sequence));
  }

  /** Chooses from the logits of some heads: see `Choose` in src/model. */
  choose(logits: Tensor, heads: readonly number[]): readonly number[] {
    const { sampling, acceptance, tree } = this.settings;
    if (tree > 1) return this.#propose(onCpu(logits), heads);
    if (!isGreedy(sampling) && acceptance === "exact") return this.#draw(onCpu(logits), heads);
    return this.#takeLikeliest(forChoices(logits, sampling), heads);
  }

  /** Gives the sequences their drafts, of `heads` heads at most. */
  finish(heads: number): void {
    const { tree, treeNodes } = this.settings;
    for (const { sequence, candidates, tokens, drawnFrom } of this.#drafts) {
      const draft = tree > 1
        ? likeliestTree(candidates.slice(0, heads - 1), treeNodes)
        : chain(tokens, drawnFrom.length === 0 ? null : drawnFrom);
      sequence.draft = prune(draft, Math.min(heads, sequence.wanted) - 1, sequence.request.stop);
    }
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#drawnFrom) tensor.free();
  }

  #takeLikeliest(logits: Tensor, heads: readonly number[]): number[] {
    if (this.settings.sampling.repetition_penalty === 1) {
      const chosen = greedyChoices(logits);
      const n = heads.length;
      this.#drafts.forEach(({ tokens }, s) => tokens.push(...chosen.slice(s * n, (s + 1) * n)));
      return chosen;
    }
    return this.#oneByOne(logits, heads, (draft, row) => {
      const [token] = greedyChoices(row) as [number];
      draft.tokens.push(token);
      return token;
    });
  }

  #draw(logits: Tensor, heads: readonly number[]): number[] {
    const keep = (rows: Tensor): Distributions => {
      const distributions = unscoped(() => distributionsOf(rows, this.settings.sampling));
      this.#drawnFrom.push(distributions.tensor);
      return distributions;
    };
    if (this.settings.sampling.repetition_penalty === 1) {
      const all = keep(logits);
      return this.#drafts.flatMap((draft, s) => heads.map((_, h) => draft.draw(all, s * heads.length + h)));
    }
    return this.#oneByOne(logits, heads, (draft, row) => draft.draw(keep(row), 0));
  }

  /** With a penalty, what a head proposes depends on the drafts before. */
  #oneByOne(
    logits: Tensor,
    heads: readonly number[],
    choose: (draft: SequenceDraft, row: Tensor) => number,
  ): number[] {
    return this.#drafts.flatMap((draft, s) =>
      heads.map((_, h) => {
        const at = s * heads.length + h;
        const row = logits.slice(0, at, at + 1);
        penalizeRows(row, () => [draft.sequence.seenWith(draft.tokens)], this.settings.sampling);
        return choose(draft, row);
      })
    );
  }

  /** Candidates for a tree. */
  #propose(logits: Tensor, heads: readonly number[]): number[] {
    const p = Distributions.of(logits, { temperature: 1, top_k: 0, top_p: 1, min_p: 0 });
    const most = Math.min(this.settings.tree, logits.shape[1]!);
    return this.#drafts.flatMap(({ candidates }, s) =>
      heads.map((_, h) => {
        const row = s * heads.length + h;
        const tokens = likeliest(logits, row, most);
        candidates.push(tokens.map((token) => ({ token, probability: p.probability(row, token) })));
        return tokens[0]!;
      })
    );
  }
}

/** One sequence's draft in the making. */
class SequenceDraft {
  readonly tokens: number[] = [];
  readonly candidates: Candidate[][] = [];
  readonly drawnFrom: { distributions: Distributions; row: number }[] = [];

  constructor(readonly sequence: Sequence) {}

  draw(distributions: Distributions, row: number): number {
    const token = distributions.draw(row, this.sequence.random.unit());
    this.tokens.push(token);
    this.drawnFrom.push({ distributions, row });
    return token;
  }
}
