/** Which documents are held out for validation. */

import { Random } from "./random.ts";
import type { Split, SplitWriter } from "./shards.ts";

/**
 * Deals documents to the two splits as they come, without knowing how many there will be.
 *
 * Every (1 / share)th document is held out, counted from a place that the seed draws: so the share is met to the
 * document, and held-out text comes from all over the corpus. As long as one of the splits has nothing, the newest
 * document waits; where the corpus ends there, it goes to that split. So two documents are enough for both.
 */
export class HeldOut {
  readonly #start: number;
  #dealt = 0;
  #waiting: { readonly document: Uint8Array; readonly split: Split } | undefined;

  /** @param share Of the documents that come without a split of their own: from 0 to 1. */
  constructor(readonly train: SplitWriter, readonly val: SplitWriter, readonly share: number, seed: number) {
    this.#start = new Random(seed).unit();
  }

  /** Takes a document that is not empty; its bytes are copied. `split`: where it goes whatever the seed says. */
  add(document: Uint8Array, split: Split | undefined): void {
    if (split) return this.#write(document, split);
    if (this.#waiting) this.#write(this.#waiting.document, this.#waiting.split);
    this.#waiting = undefined;
    const drawn = this.#draw();
    if (this.train.documents > 0 && this.val.documents > 0) this.#write(document, drawn);
    else this.#waiting = { document: document.slice(), split: drawn };
  }

  /** Deals the document that still waits: to the split that has nothing. */
  finish(): void {
    if (this.#waiting) this.#write(this.#waiting.document, this.train.documents === 0 ? "train" : "val");
    this.#waiting = undefined;
  }

  #write(document: Uint8Array, split: Split): void {
    (split === "train" ? this.train : this.val).add(document);
  }

  #draw(): Split {
    const turns = (documents: number) => Math.floor(documents * this.share + this.#start);
    return turns(this.#dealt) < turns(++this.#dealt) ? "val" : "train";
  }
}
