/**
 * `deno task bench tasks`: BLiMP on a byte model of 10 M parameters against a plain PyTorch loop, one forward pass a
 * sentence (tasks_peer.py), on the same weights and sentences, libtorch version, threads and wait policy. Both stay alive
 * and take turns; the ratios are the medians of the turns' ratios: of wall-clock time, and of processor time, which says
 * more where other programs run. The log-probabilities have to agree.
 *
 *     deno task bench tasks [FOLDER]      FOLDER: BLiMP's .jsonl files; default ../shared/data/blimp
 */
import { UserError } from "../../src/stage/errors.ts";
import type { ModelOptions } from "../../src/model/mod.ts";
import { Child, PEER } from "./child.ts";
import { median, print, printTable } from "./table.ts";

/** What tasks_case.ts and tasks_peer.py take as their one argument, in JSON. */
export interface TasksCase {
  readonly model: ModelOptions;
  /** A file of weights, which ours writes and the peer reads. */
  readonly weights: string;
  /** A file with all sentences in JSON. */
  readonly sentences: string;
}

const FOLDER = "native/build/bench";
const PAIRS = 4; // of each paradigm
const TURNS = 5;
/** Log-probabilities of a sentence are of size 100. */
const TOLERANCE = 1e-2;

const MODEL: ModelOptions = {
  vocab: 320,
  width: 384,
  layers: 6,
  attention_heads: 8,
  kv_heads: 8,
  ffn: 1024,
  context: 256,
  rope_theta: 10_000,
  norm_eps: 1e-5,
  tied: false,
  heads: { kind: "linear", count: 1 },
};

/** Two threads that sleep soon where others want the processor, as the pipeline sets them. */
const ENVIRONMENT = { OMP_NUM_THREADS: "2", GOMP_SPINCOUNT: "10000" };

export async function run([folder = "../shared/data/blimp"]: readonly string[] = []): Promise<void> {
  Deno.mkdirSync(FOLDER, { recursive: true });
  const of = { model: MODEL, weights: `${FOLDER}/tasks.safetensors`, sentences: `${FOLDER}/tasks.json` };
  const sentences = sentencesIn(folder);
  Deno.writeTextFileSync(of.sentences, JSON.stringify(sentences));
  const flags = [
    ...["run", "--no-prompt", "--allow-env=OMP_NUM_THREADS", "--allow-read"],
    ...[`--allow-write=${FOLDER}`, "--allow-ffi=native/build"],
  ];
  await using ours = await start(Deno.execPath(), [...flags, "scripts/bench/tasks_case.ts"], of);
  await using peer = await start(PEER, ["scripts/bench/tasks_peer.py"], of);
  checkSame(await ask(ours), await ask(peer)); // which also warms both up
  const turns: { ours: Pass; peer: Pass }[] = [];
  while (turns.length < TURNS) turns.push({ ours: await ask(ours), peer: await ask(peer) });
  print(
    `BLiMP, ${sentences.length} sentences, a byte model of 10.9 M parameters, float32, 2 threads, ${TURNS} turns:`,
  );
  print();
  const perSecond = (side: "ours" | "peer"): string =>
    (1000 * sentences.length / median(turns.map((turn) => turn[side].milliseconds))).toFixed(0);
  const times = (what: "milliseconds" | "cpu"): string => {
    const ratios = turns.map(({ ours, peer }) => peer[what] / ours[what]).sort((a, b) => a - b);
    return `${median(ratios).toFixed(2)} (${ratios[0]!.toFixed(2)}-${ratios.at(-1)!.toFixed(2)})`;
  };
  printTable(["", "sentences a second", "times the speed", "less processor time"], [
    ["foretoken", perSecond("ours"), times("milliseconds"), times("cpu")],
    ["PyTorch, a sentence at a time", perSecond("peer"), "1", "1"],
  ]);
}

/** The first pairs of each paradigm. */
function sentencesIn(folder: string): string[] {
  let files: string[];
  try {
    files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".jsonl"))
      .sort();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`There is no folder "${folder}": give the one that holds BLiMP's .jsonl files`);
  }
  return files.flatMap((file) =>
    Deno.readTextFileSync(`${folder}/${file}`).split("\n").slice(0, PAIRS).flatMap((line) => {
      const { sentence_good, sentence_bad } = JSON.parse(line);
      return [sentence_good, sentence_bad];
    })
  );
}

/** Starts a side, and waits until it is ready. */
async function start(program: string, args: readonly string[], of: TasksCase): Promise<Child> {
  try {
    const child = new Child(program, [...args, JSON.stringify(of)], ENVIRONMENT);
    await child.next();
    return child;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(
      "There is nothing to compare with: `deno task peers` makes the environment of the peer",
    );
  }
}

/** One pass over all sentences. */
interface Pass {
  readonly milliseconds: number;
  /** Processor time of all threads, milliseconds. */
  readonly cpu: number;
  /** Of each sentence, nats. */
  readonly logProbabilities: readonly number[];
}

const ask = async (child: Child): Promise<Pass> => JSON.parse(await child.ask("score"));

function checkSame(ours: Pass, peer: Pass): void {
  const off = ours.logProbabilities.map((value, i) => Math.abs(value - peer.logProbabilities[i]!));
  const most = off.reduce((a, b) => Math.max(a, b), 0);
  if (ours.logProbabilities.length === peer.logProbabilities.length && most < TOLERANCE) return;
  throw new UserError(`Log-probabilities are off by up to ${most}: the two do not do the same work`);
}
