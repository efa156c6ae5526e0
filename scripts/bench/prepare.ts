/**
 * `deno task bench prepare [FOLDER] [--large]`: how fast text of each format becomes byte shards, checksums included, and
 * how much memory that takes. FOLDER holds text files; without it, the stories are the text, which compress better than
 * real text does. `--large` prepares a Parquet file of 2 GB instead. Each run is a process of its own.
 */
import { fileWriter, parquetWriteRows } from "hyparquet-writer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { madeUp } from "../../src/data/made_up.ts";
import { findFiles } from "../../src/formats/input_files.ts";
import { UserError } from "../../src/stage/errors.ts";
import type { Measured } from "./prepare_case.ts";
import { median, print, printTable } from "./table.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const WORK = `${ROOT}native/build/bench/prepare`;
/** Bytes of text. */
const TEXT = 200e6;
const LARGE = 5.2e9;
const ROUNDS = 3;

export async function run(): Promise<void> {
  const isLarge = Deno.args.includes("--large");
  const folder = Deno.args.slice(1).find((arg) => !arg.startsWith("--"));
  Deno.mkdirSync(WORK, { recursive: true });
  try {
    const documents = documentsOf(folder);
    await (isLarge ? large(documents) : small(documents));
  } finally {
    Deno.removeSync(WORK, { recursive: true });
  }
}

/** The text of FOLDER or of stories, cut into documents of 0.2 to 8 KB. */
function documentsOf(folder: string | undefined): string[] {
  if (folder === undefined) {
    return Array.from(madeUp("stories", 1, 20e6), (story) => new TextDecoder().decode(story));
  }
  const text = findFiles([folder]).map((path) => Deno.readTextFileSync(path)).join("\n\n");
  const documents: string[] = [];
  for (let start = 0, n = 0; start < text.length; n++) {
    const length = 200 + (n * 7919) % 7800;
    documents.push(text.slice(start, start + length));
    start += length;
  }
  return documents;
}

/** The documents again and again, each time a little different, until there are so many bytes. */
function* repeated(documents: readonly string[], bytes: number): Generator<string> {
  for (let made = 0, round = 0; made < bytes; round++) {
    for (const document of documents) {
      made += document.length;
      yield round === 0 ? document : `${round}: ${document}`;
      if (made >= bytes) return;
    }
  }
}

interface Format {
  readonly title: string;
  readonly name: string;
  make(documents: readonly string[], path: string): void | Promise<void>;
}

const FORMATS: readonly Format[] = [
  {
    title: "plain text, blank lines",
    name: "a.txt",
    make: (documents, path) => writeText(documents, path, asBlock, "\n\n"),
  },
  { title: "JSONL", name: "b.jsonl", make: (documents, path) => writeText(documents, path, asRecord, "\n") },
  {
    title: "JSONL, zstd",
    name: "c.jsonl.zst",
    make: (documents, path) => packed(documents, path, zstdCompressSync),
  },
  { title: "JSONL, gzip", name: "d.jsonl.gz", make: (documents, path) => packed(documents, path, gzipSync) },
  {
    title: "Parquet, zstd",
    name: "e.parquet",
    make: (documents, path) => writeParquet(documents, path, "ZSTD", TEXT),
  },
  {
    title: "Parquet, snappy",
    name: "f.parquet",
    make: (documents, path) => writeParquet(documents, path, "SNAPPY", TEXT),
  },
];

const asBlock = (document: string): string => document.replace(/\n\s*\n/g, "\n").trim();
const asRecord = (text: string): string => JSON.stringify({ text, meta: { source: "bench" } });

function writeText(
  documents: readonly string[],
  path: string,
  form: (document: string) => string,
  between: string,
): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  let waiting: string[] = [];
  const flush = () => {
    const bytes = encoder.encode(waiting.join(""));
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    waiting = [];
  };
  for (const document of repeated(documents, TEXT)) {
    if (waiting.push(form(document) + between) >= 1000) flush();
  }
  flush();
}

function packed(
  documents: readonly string[],
  path: string,
  compress: (bytes: Uint8Array) => Uint8Array,
): void {
  writeText(documents, path, asRecord, "\n");
  Deno.writeFileSync(path, compress(Deno.readFileSync(path)));
}

async function writeParquet(
  documents: readonly string[],
  path: string,
  codec: "ZSTD" | "SNAPPY",
  bytes: number,
) {
  const rows = function* () {
    for (const text of repeated(documents, bytes)) yield { text };
  };
  await parquetWriteRows({
    writer: fileWriter(path),
    rows: rows(),
    columns: [{ name: "text", type: "STRING" }],
    codec,
    rowGroupSize: 10_000,
    compressors: { ZSTD: (bytes) => zstdCompressSync(bytes) },
  });
}

async function small(documents: readonly string[]): Promise<void> {
  for (const { name, make } of FORMATS) await make(documents, `${WORK}/${name}`);
  const results = new Map<string, Measured[]>(FORMATS.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name } of FORMATS) results.get(name)!.push(await measure(`${WORK}/${name}`)); // formats take turns
  }
  print(`To byte shards with SHA-256, ${ROUNDS} processes each, ${TEXT / 1e6} MB of text; MB/s of text:`);
  print();
  printTable(
    ["from", "file, MB", "MB/s, median", "best", "documents/s", "peak memory, MB"],
    FORMATS.map(({ title, name }) => {
      const measured = results.get(name)!;
      const rates = measured.map(({ bytes, seconds }) => bytes / seconds / 1e6);
      const perSecond = median(measured.map(({ documents, seconds }) => documents / seconds));
      return [
        title,
        megabytes(Deno.statSync(`${WORK}/${name}`).size),
        median(rates).toFixed(0),
        Math.max(...rates).toFixed(0),
        perSecond.toFixed(0),
        megabytes(Math.max(...measured.map(({ peak }) => peak))),
      ];
    }),
  );
}

async function large(documents: readonly string[]): Promise<void> {
  const path = `${WORK}/large.parquet`;
  print("writing a large Parquet file");
  await writeParquet(documents, path, "ZSTD", LARGE);
  const { bytes, documents: count, seconds, peak } = await measure(path);
  print();
  printTable(["Parquet, MB", "text, MB", "documents", "MB/s", "peak memory, MB"], [[
    megabytes(Deno.statSync(path).size),
    megabytes(bytes),
    `${count}`,
    (bytes / seconds / 1e6).toFixed(0),
    megabytes(peak),
  ]]);
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

async function measure(path: string): Promise<Measured> {
  const out = `${WORK}/out`;
  Deno.mkdirSync(out);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-read", `--allow-write=${out}`, "--allow-ffi=native/build"],
      ...["scripts/bench/prepare_case.ts", path, out],
    ],
    cwd: ROOT,
    env: { LD_LIBRARY_PATH: "", LD_PRELOAD: "" }, // Deno starts nothing while these are set
  }).output();
  Deno.removeSync(out, { recursive: true });
  if (!success) throw new UserError(`Preparing ${path} failed:\n${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
