/**
 * `deno task bench bpe FOLDER`: trains byte-level BPE on 25 MB of the folder's text files and encodes them, beside the
 * public `tokenizers` library in Python: the same text, documents and threads, in turns. Each is a process of its own
 * (bpe_case.ts, bpe_peer.py), since a peak of memory cannot be taken back. The text does not come with the project:
 * what counts is real text, of which a few novels are enough.
 */
import { join } from "node:path";
import { findFiles } from "../../src/formats/input_files.ts";
import { UserError } from "../../src/stage/errors.ts";
import { peersPython } from "../peers.ts";
import type { Case, Encoding, Training } from "./bpe_case.ts";
import { median, print, printTable } from "./table.ts";

const TEXT_BYTES = 25e6;
const DOCUMENT_BYTES = 10_000;
const MERGES = 32_000;
const THREADS = 2;
const ROUNDS = 3;

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const WORK = `${ROOT}native/build/bench/bpe`;

/** A program that does one case, and takes it as JSON in its last argument. */
type Contestant = (what: Case) => Promise<unknown>;

export async function run(): Promise<void> {
  const folder = Deno.args[1];
  if (folder === undefined) throw new UserError("Name a folder of text files: deno task bench bpe FOLDER");
  const python = peersPython();
  if (python === undefined) {
    throw new UserError("This compares with the public library: run `deno task peers` before");
  }
  const documents = writeText(folder);
  print(
    `${MERGES} merges on ${megabytes(TEXT_BYTES)} MB of text, then ${documents} documents of about ` +
      `${DOCUMENT_BYTES / 1000} kB encoded on ${THREADS} threads; medians of ${ROUNDS} turns:`,
  );
  print();
  await compare(ours, (what) => start(python, ["scripts/bench/bpe_peer.py"], what));
  Deno.removeSync(WORK, { recursive: true });
}

async function compare(ours: Contestant, theirs: Contestant): Promise<void> {
  const training = { do: "train", work: WORK, merges: MERGES, threads: THREADS } as const;
  const encoding = { do: "encode", work: WORK, threads: THREADS } as const;
  const trained = [await ours(training), await theirs(training)] as Training[];
  const speeds: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b] = [await ours(encoding), await theirs(encoding)] as [Encoding, Encoding];
    if (a.ids !== b.ids || a.sum !== b.sum) throw new UserError("The two do not give the same ids");
    speeds[0].push(a.bytesPerSecond);
    speeds[1].push(b.bytesPerSecond);
  }
  const [mine, others] = speeds.map(median) as [number, number];
  printTable(
    ["", "training s", "its peak MB", "encoding MB/s", "ratio"],
    [
      ["foretoken", ...trainingCells(trained[0]!), megabytes(mine), (mine / others).toFixed(1)],
      ["tokenizers", ...trainingCells(trained[1]!), megabytes(others), "1.0"],
    ],
  );
  print();
  print(`merges: ${trained[0]!.digest === trained[1]!.digest ? "the same" : "NOT the same"}; ids: the same`);
}

const trainingCells = ({ seconds, peak }: Training): string[] => [seconds.toFixed(2), megabytes(peak)];

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);

const ours: Contestant = (what) =>
  start(Deno.execPath(), [
    ...["run", "--no-prompt", "--allow-read", `--allow-write=${WORK}`, "--allow-ffi=native/build"],
    "scripts/bench/bpe_case.ts",
  ], what);

async function start(program: string, args: readonly string[], what: Case): Promise<unknown> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args, JSON.stringify(what)],
    cwd: ROOT,
    // Deno starts nothing while LD_* are set.
    env: {
      LD_LIBRARY_PATH: "",
      LD_PRELOAD: "",
      RAYON_NUM_THREADS: `${what.threads}`,
      TOKENIZERS_PARALLELISM: "true",
    },
  }).output();
  if (!success) throw new UserError(`${program} failed:\n${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Writes text.bin, the first TEXT_BYTES of the folder's files, and ends.json, where its documents end: their number. */
function writeText(folder: string): number {
  const text = new Uint8Array(TEXT_BYTES);
  let length = 0;
  for (const path of findFiles([folder])) {
    const part = Deno.readFileSync(path).subarray(0, TEXT_BYTES - length);
    text.set(part, length);
    length += part.length;
  }
  if (length < TEXT_BYTES) {
    throw new UserError(
      `"${folder}" has ${megabytes(length)} MB of text, and ${megabytes(TEXT_BYTES)} are needed`,
    );
  }
  const ends: number[] = [];
  for (let end = 0; end < length;) {
    const line = text.indexOf(0x0a, end + DOCUMENT_BYTES);
    ends.push(end = line < 0 ? length : line + 1);
  }
  Deno.mkdirSync(WORK, { recursive: true });
  Deno.writeFileSync(join(WORK, "text.bin"), text);
  Deno.writeTextFileSync(join(WORK, "ends.json"), JSON.stringify(ends));
  return ends.length;
}
