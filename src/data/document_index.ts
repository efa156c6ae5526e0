/** Where the documents of a shard end: its index, in memory. */
import { reading } from "../formats/file_errors.ts";
import { UserError } from "../stage/errors.ts";
import { AGAIN, INDEX_ENTRY, type ShardFiles, textTokens } from "./shards.ts";

/** The ends of a shard's documents, in tokens of its file. */
export class DocumentIndex {
  readonly documents: number;
  readonly #entries: DataView;

  /** @throws {UserError} where it cannot be read, or does not fit the shard: else documents would lie outside of it. */
  constructor({ index, info }: ShardFiles) {
    this.#entries = new DataView(reading(index, () => Deno.readFileSync(index)).buffer);
    this.documents = this.#entries.byteLength / INDEX_ENTRY;
    let last = 0;
    for (let row = 0; row < this.documents; last = this.end(row++)) {
      if (this.end(row) < last) throw unfit(index, `goes back at document ${row}`);
    }
    const tokens = textTokens(info);
    if (last !== tokens) throw unfit(index, `ends at token ${last}, and its shard at ${tokens}`);
  }

  /** Where a document begins. */
  start(row: number): number {
    return row === 0 ? 0 : this.end(row - 1);
  }

  /** Where a document ends; exact up to 2^53. */
  end(row: number): number {
    const at = row * INDEX_ENTRY;
    return this.#entries.getUint32(at, true) + this.#entries.getUint32(at + 4, true) * 2 ** 32;
  }
}

const unfit = (path: string, what: string) => new UserError(`Cannot use "${path}": it ${what}; ${AGAIN}`);
