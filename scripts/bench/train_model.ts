/** The models that train.ts and memory.ts train, and the two programs that train them: ours and PyTorch's. */
import { UserError } from "../../src/stage/errors.ts";
import { Child, PEER, TWO_THREADS } from "./child.ts";
import type { ModelOptions } from "../../src/model/mod.ts";

/** What train_case.ts and train_peer.py take as their one argument, in JSON. */
export interface Case {
  readonly model: ModelOptions;
  /** Rows of one micro-batch, which is the whole batch; each row has `model.context` tokens. */
  readonly batch: number;
  /** A safetensors file with the first weights, `inputs` and `targets`: ours writes it, the peer reads it. */
  readonly file: string;
}

const COMMON = { context: 256, rope_theta: 10_000, norm_eps: 1e-5, tied: false } as const;

const SIZES = {
  /** Bytes. */
  "1M": { vocab: 320, width: 128, layers: 5, attention_heads: 4, kv_heads: 4, ffn: 352 },
  "10M": { vocab: 8192, width: 384, layers: 6, attention_heads: 8, kv_heads: 8, ffn: 1024 },
  /** A vocabulary that makes logits the largest thing in memory. */
  "32k": { vocab: 32_000, width: 256, layers: 4, attention_heads: 4, kv_heads: 4, ffn: 704 },
} as const;

export type Size = keyof typeof SIZES;

/** A model of a size with K linear heads. */
export const modelOf = (size: Size, count: number): ModelOptions => ({
  ...COMMON,
  ...SIZES[size],
  heads: { kind: "linear", count },
});

/** Where a case puts its file. */
export const FILE = "native/build/bench/train.safetensors";

/** A program that is ready to train a case, and the number of its model's parameters. */
export interface Ready {
  readonly child: Child;
  readonly parameters: number;
}

/** Starts this project's side, which writes the file of the case. */
export function startOurs(of: Case): Promise<Ready> {
  Deno.mkdirSync(FILE.slice(0, FILE.lastIndexOf("/")), { recursive: true });
  const flags = [
    ...["run", "--no-prompt", "--allow-env=OMP_NUM_THREADS", "--allow-read"],
    ...["--allow-write=native/build/bench", "--allow-ffi=native/build"],
  ];
  return start(Deno.execPath(), [...flags, "scripts/bench/train_case.ts"], of);
}

/** Starts PyTorch's side, which reads that file. @throws {UserError} where there is no environment for it. */
export async function startPeer(of: Case): Promise<Ready> {
  try {
    return await start(PEER, ["scripts/bench/train_peer.py"], of);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(
      "There is nothing to compare with: `deno task peers` makes the environment of the peer",
    );
  }
}

async function start(program: string, args: readonly string[], of: Case): Promise<Ready> {
  const child = new Child(program, [...args, JSON.stringify(of)], TWO_THREADS);
  return { child, parameters: Number(await child.next()) };
}
