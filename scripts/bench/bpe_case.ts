/** Trains, or encodes, once, and prints what it took; bpe.ts starts it. Its twin is bpe_peer.py. */
import { openTokenizerFile } from "../../src/text/bpe.ts";
import { peakMemory } from "../../src/text/native.ts";
import { trainBpe } from "../../src/text/train.ts";
import { print } from "./table.ts";

/** What is to be done with `work`/text.bin and ends.json. */
export type Case =
  & { readonly work: string; readonly threads: number }
  & (
    /** Train, and leave `work`/tokenizer.json. */
    | { readonly do: "train"; readonly merges: number }
    | { readonly do: "encode" }
  );

/** What training took. */
export interface Training {
  readonly seconds: number;
  /** Bytes: the process with the text in it. */
  readonly peak: number;
  /** SHA-256 of the merges. */
  readonly digest: string;
}

/** What encoding took, and what tells that the ids are the same. */
export interface Encoding {
  readonly bytesPerSecond: number;
  readonly ids: number;
  readonly sum: number;
}

function documentsIn(work: string): Uint8Array[] {
  const text = Deno.readFileSync(`${work}/text.bin`);
  const ends: number[] = JSON.parse(Deno.readTextFileSync(`${work}/ends.json`));
  return ends.map((end, i) => text.subarray(ends[i - 1] ?? 0, end));
}

async function train(work: string, merges: number, threads: number): Promise<Training> {
  const documents = documentsIn(work);
  const started = performance.now();
  const json = trainBpe(documents, { vocab: merges + 257, threads });
  const seconds = (performance.now() - started) / 1000;
  const peak = peakMemory();
  Deno.writeTextFileSync(`${work}/tokenizer.json`, json);
  const lines: string[] = JSON.parse(json).model.merges;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines.join("\n")));
  return { seconds, peak, digest: new Uint8Array(digest).toHex() };
}

function encode(work: string, threads: number): Encoding {
  const documents = documentsIn(work);
  using tokenizer = openTokenizerFile(`${work}/tokenizer.json`);
  tokenizer.encodeBatch(documents.slice(0, 1), threads); // makes the tables, as the other's constructor does
  const bytes = documents.reduce((sum, { length }) => sum + length, 0);
  const started = performance.now();
  const { ids } = tokenizer.encodeBatch(documents, threads);
  const seconds = (performance.now() - started) / 1000;
  return { bytesPerSecond: bytes / seconds, ids: ids.length, sum: ids.reduce((sum, id) => sum + id, 0) };
}

const what: Case = JSON.parse(Deno.args[0]!);
print(
  JSON.stringify(
    what.do === "train" ? await train(what.work, what.merges, what.threads) : encode(what.work, what.threads),
  ),
);
