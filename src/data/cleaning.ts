/** What is left out of a corpus, filter by filter, and how much each of them left out. */

import type { PrepareConfig } from "../config/schema.ts";
import { Repetition } from "./repetition.ts";
import type { Seen } from "./seen.ts";

/** Documents and their bytes. */
export interface Tally {
  documents: number;
  bytes: number;
}

/** Filters, in the order in which they are asked; `normalized` counts documents that were changed and kept. */
export const FILTERS = ["normalized", "too_short", "repetition", "duplicate"] as const;
export type Filter = typeof FILTERS[number];

/** Applies what `cleaning` asks for. */
export class Cleaner {
  readonly #repetition = new Repetition();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #encoder = new TextEncoder();

  /** @param seen needed where duplicates are left out. */
  constructor(
    readonly config: PrepareConfig["cleaning"],
    readonly seen: Seen | undefined,
    readonly count: (filter: Filter, bytes: number) => void,
  ) {}

  /**
   * The document, normalized where that is asked for; undefined where it is left out.
   *
   * @param pass the reading of a source that it comes from; see {@link Seen}
   */
  clean(document: Uint8Array, pass: number): Uint8Array | undefined {
    const { min_bytes, max_repetition } = this.config;
    const text = this.#normalized(document);
    const leaveOut = (filter: Filter) => void this.count(filter, text.length);
    if (text.length < min_bytes) return leaveOut("too_short");
    if (max_repetition !== undefined && this.#repetition.of(text) > max_repetition) {
      return leaveOut("repetition");
    }
    if (this.seen && !this.seen.add(text, pass)) return leaveOut("duplicate");
    return text;
  }

  /** Malformed UTF-8 becomes U+FFFD where text is normalized. */
  #normalized(document: Uint8Array): Uint8Array {
    const { normalize } = this.config;
    if (normalize === "none" || isAscii(document)) return document;
    const text = this.#decoder.decode(document);
    const normal = text.normalize(normalize === "nfc" ? "NFC" : "NFKC");
    if (normal === text) return document;
    this.count("normalized", document.length);
    return this.#encoder.encode(normal);
  }
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 127) return false;
  return true;
}
