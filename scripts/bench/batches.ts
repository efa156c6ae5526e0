/**
 * `deno task bench batches`: tokens that are gathered a second, from shards of bytes, of 16-bit and of 32-bit tokens,
 * for 1 and 4 heads; and what share of a training step of the quick start's models gathering takes, with the next
 * batch gathered ahead and without. One thread gathers; the step has all of them.
 */
import { loadPipeline } from "../../src/config/load.ts";
import type { TrainConfig } from "../../src/config/schema.ts";
import { BlockOrder, BlockTable } from "../../src/data/batches.ts";
import { Random } from "../../src/data/random.ts";
import { stories } from "../../src/data/stories.ts";
import { MtpModel } from "../../src/model/mod.ts";
import {
  type BlockShape,
  type BlockStart,
  Scope,
  start,
  TokenShards,
  type Vocabulary,
} from "../../src/torch/mod.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { trainStep } from "../../src/train/step.ts";
import { median, print, printTable } from "./table.ts";

const FOLDER = "native/build/bench/batches";
const TOKENS = 32e6;
/** Tokens gathered for one figure. */
const GATHERED = 20e6;
const REPEATS = 5;

interface Kind {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  /** Tokens of a document, on average. */
  readonly document: number;
}

const subwords = (tokenBytes: 2 | 4, vocab: number): Vocabulary => ({
  tokenBytes,
  offset: 0,
  endToken: 0,
  byteLengths: Uint32Array.from({ length: vocab }, (_, id) => id === 0 ? 0 : 1 + id % 8),
});

const BYTES: Vocabulary = {
  tokenBytes: 1,
  offset: 64,
  endToken: 0,
  byteLengths: Uint32Array.from({ length: 320 }, (_, id) => id < 64 ? 0 : 1),
};

const KINDS: readonly Kind[] = [
  { name: "bytes, documents of 1500", vocabulary: BYTES, document: 1500 },
  { name: "bytes, documents of 40", vocabulary: BYTES, document: 40 },
  { name: "16-bit tokens, documents of 400", vocabulary: subwords(2, 32_000), document: 400 },
  { name: "32-bit tokens, documents of 400", vocabulary: subwords(4, 128_000), document: 400 },
];

export async function run(): Promise<void> {
  const { stages } = await loadPipeline("pipelines/quickstart.yaml");
  const machine = start({ device: "cpu", threads: "auto" });
  Deno.mkdirSync(FOLDER, { recursive: true });
  try {
    print(`Million tokens gathered a second, blocks in random order from ${TOKENS / 1e6} million tokens:`);
    print();
    const shapes = [[256, 4], [1024, 32]] as const;
    printTable(
      [
        "tokens",
        ...shapes.flatMap(([length, rows]) => [1, 4].map((heads) => `${rows} x ${length}, K=${heads}`)),
      ],
      KINDS.map((kind) => {
        using shards = openShards(kind);
        const rates = shapes.flatMap(([length, rows]) =>
          [1, 4].map((heads) => rate(shards, { length, heads, predictFirst: true }, rows))
        );
        return [kind.name, ...rates.map((tokens) => (tokens / 1e6).toFixed(0))];
      }),
    );
    print();
    print(`A step of the quick start's models, ${machine.threads} threads, and the gathering of its batch:`);
    print();
    using shards = openShards(KINDS[0]!);
    printTable(
      ["arm", "step, ms", "gathering, ms", "share", "waiting for what was gathered ahead, ms", "share"],
      stages.filter((stage) => stage.run === "train").map((arm) => shareOf(arm, shards)),
    );
  } finally {
    Deno.removeSync(FOLDER, { recursive: true });
  }
}

/** Stories as bytes; random ids as subwords, the n-th one as often as 1 / n (Zipf). */
function openShards({ vocabulary, document }: Kind): TokenShards {
  const { tokenBytes, byteLengths } = vocabulary;
  const tokens = new ({ 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[tokenBytes])(TOKENS);
  if (tokenBytes === 1) {
    const text = Uint8Array.from([...stories(1, 1e6)].flatMap((story) => [...story]));
    for (let at = 0; at < TOKENS; at += text.length) tokens.set(text.subarray(0, TOKENS - at), at);
  } else {
    const random = new Random(1);
    const scale = Math.log(byteLengths.length);
    for (let i = 0; i < TOKENS; i++) tokens[i] = Math.exp(scale * random.unit());
  }
  const ends = BigUint64Array.from({ length: TOKENS / document }, (_, i) => BigInt((i + 1) * document));
  ends[ends.length - 1] = BigInt(TOKENS);
  const [file, index] = [`${FOLDER}/tokens.bin`, `${FOLDER}/tokens.idx`];
  Deno.writeFileSync(file, new Uint8Array(tokens.buffer));
  Deno.writeFileSync(index, new Uint8Array(ends.buffer));
  return new TokenShards([{ file, index }], vocabulary);
}

/** The blocks of some steps, in training's order. */
function steps(shards: TokenShards, { length }: BlockShape, rows: number, count: number): BlockStart[][] {
  const order = new BlockOrder(new BlockTable(shards.tokens, length), 1);
  return Array.from({ length: count }, (_, i) => order.at(i * rows, rows));
}

/** Tokens a second, the order of the blocks included: the median of some rounds. */
function rate(shards: TokenShards, shape: BlockShape, rows: number): number {
  const count = Math.ceil(GATHERED / rows / shape.length);
  const rates = Array.from({ length: REPEATS }, () => {
    const began = performance.now();
    for (const starts of steps(shards, shape, rows, count)) {
      using _scope = new Scope();
      shards.gather(starts, shape);
    }
    return count * rows * shape.length / (performance.now() - began) * 1000;
  });
  return median(rates);
}

const STEPS = 20;

function shareOf({ id, model: options, train, seed }: TrainConfig, shards: TokenShards): string[] {
  using model = new MtpModel({ ...options, vocab: BYTES.byteLengths.length }, seed, "cpu");
  using optimizer = new Optimizer(model.parameters, train);
  const shape = { length: options.context, heads: options.heads.count, predictFirst: true };
  const objective = { weights: Array.from({ length: shape.heads }, () => 1), loss: train.loss };
  const [stepped, gathered, waited]: number[][] = [[], [], []];
  const timed = <T>(times: number[], body: () => T): T => {
    const began = performance.now();
    const result = body();
    times.push(performance.now() - began);
    return result;
  };
  const blocks = steps(shards, shape, train.batch, STEPS + 1);
  for (const [i, starts] of blocks.slice(0, STEPS).entries()) {
    using _scope = new Scope();
    const batch = timed(waited!, () => shards.gather(starts, shape));
    shards.prefetch(blocks[i + 1]!, shape);
    timed(stepped!, () => trainStep(model, optimizer, batch, train.batch, objective, 1e-3).norm.item());
    timed(gathered!, () => shards.gather(starts, shape)); // anew: what was asked for ahead is another batch
  }
  const step = median(stepped!);
  const cells = (times: number[]) => {
    const time = median(times);
    return [time.toFixed(3), `${(100 * time / step).toFixed(2)}%`];
  };
  return [id, step.toFixed(1), ...cells(gathered!), ...cells(waited!)];
}
