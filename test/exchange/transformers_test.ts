/**
 * Proves that transformers and we read each other's folders alike: logits on real text, token ids, the further heads by
 * the words of heads.json and by Medusa's two public readings, and random checkpoints of transformers as we import them.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { run as importStage } from "../../src/exchange/import.ts";
import { type ModelOptions, MtpModel } from "../../src/model/mod.ts";
import { byteTokenizer } from "../../src/text/tokenizer.ts";
import { Scope, Tensor } from "../../src/torch/mod.ts";
import { loadImported, readImported } from "../../src/train/imported.ts";
import { logitsByRow } from "../model/decoding.ts";
import { withPeers } from "../peers.ts";
import { ioFor, readJson } from "../train/fixture.ts";
import { exported, KINDS, largestDifference, logitsOf, modelOf } from "./fixture.ts";

/** Logits are of size 1 to 10, sums of some hundred products in float32. */
const TOLERANCE = 1e-4;

const TEXTS = [
  "Once upon a time, a small robot found a kite.\n",
  "Gr\u00f6\u00dfe, na\u00efve, \u6771\u4eac, \u{1f642} and\ttabs",
  "\u0000\u007f\u0080 \u{10ffff}",
  "",
];
const encode = (text: string): number[] => [...byteTokenizer().encode(new TextEncoder().encode(text))];
/** A document's beginning, as a model reads it. */
const IDS = [0, ...encode(TEXTS[0]!)].slice(0, 40);

/** Checkpoints of transformers, and what changes in them. */
const CONFIG = {
  vocab_size: 320,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  max_position_embeddings: 64,
};
const VARIANTS = {
  plain: {},
  grouped: { config: { num_key_value_heads: 2, rope_theta: 50_000 } },
  tied: { config: { tie_word_embeddings: true, rms_norm_eps: 1e-5 } },
  bfloat16: { dtype: "bfloat16" },
  float16: { dtype: "float16" },
  sharded: { shard: "60KB" },
};

/** Kinds that Medusa's format holds, with the residual blocks of a head. */
const MEDUSA = [["residual", 2], ["linear", 0]] as const;

/** What llama.py says. */
interface Answers {
  readonly read: Record<string, {
    readonly class: string;
    readonly problems: Record<string, string[]>;
    readonly logits: number[][];
    readonly eos: number[];
    readonly tokens: number[][];
    readonly texts: string[];
    /** Log-probabilities of head 2, by heads.json. */
    readonly head2: number[];
  }>;
  readonly make: Record<string, { readonly logits: number[][]; readonly files: string[] }>;
  readonly medusa: Record<string, { medusa: number[][][]; vllm: number[][][]; left: string[] }>;
}

/** What we compute: rows that the heads read, and the logits of the heads that read them. */
interface Ours {
  readonly states: number[][];
  readonly logits: number[][][];
  /** Log-probabilities that head 2 gives to the tokens two places ahead. */
  readonly head2: number[];
}

withPeers("transformers, Medusa's readers and we make the same of each other's folders", async (python) => {
  using place = temporary();
  const { folder } = place;
  const ours = await exportKinds(folder);
  const medusa = MEDUSA.map(([kind, blocks]) => {
    const { states } = ours[kind]!;
    return [kind, { folder: join(folder, `${kind}-out/medusa`), states, blocks, heads: 2 }];
  });
  const order = {
    ids: IDS,
    texts: TEXTS,
    read: Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, join(folder, `${kind}-out/hf`)])),
    make: { folder, config: CONFIG, variants: VARIANTS },
    medusa: Object.fromEntries(medusa),
  };
  const script = new URL("llama.py", import.meta.url).pathname;
  const answers: Answers = JSON.parse(await python(["-B", script], JSON.stringify(order)));
  for (const kind of Object.keys(KINDS)) compareExport(kind, ours[kind]!, answers);
  for (const [kind, blocks] of MEDUSA) compareMedusa(folder, kind, blocks, ours[kind]!, answers);
  for (const name of Object.keys(VARIANTS)) await compareImport(folder, name, answers);
});

async function exportKinds(folder: string): Promise<Record<string, Ours>> {
  const ours: Record<string, Ours> = {};
  for (const [kind, options] of Object.entries(KINDS)) {
    using model = modelOf(options);
    const to = MEDUSA.some(([name]) => name === kind) ? "medusa" : "hf";
    await exported(folder, kind, model, { to, base_model: "me/base" });
    using decoder = model.decoder("aten");
    using cache = decoder.newCache();
    using _scope = new Scope();
    const rows = decoder.extend(IDS, cache);
    const byRow = to === "medusa" ? logitsByRow(decoder, rows) : [];
    const logits = (head: number) =>
      head === 1
        ? rowsOf(decoder.logits(rows.first).toArray(), options.vocab)
        : byRow.map((heads) => heads[head - 1]!.toArray());
    ours[kind] = {
      states: rowsOf(rows.first.toArray(), options.width),
      head2: options.heads.count > 1 ? head2Of(model) : [],
      logits: Array.from({ length: to === "medusa" ? options.heads.count : 1 }, (_, i) => logits(i + 1)),
    };
  }
  return ours;
}

function head2Of(model: MtpModel): number[] {
  const { count } = model.shape.heads;
  const targets = Array.from({ length: count }, (_, i) => IDS.map((_, t) => IDS[t + i + 1] ?? -1));
  const T = IDS.length;
  const scores = model.score({
    inputs: Tensor.ids(IDS, [1, T]),
    targets: Tensor.ids(targets.flat(), [count, 1, T]),
  });
  return scores[1]!.nll.toArray().slice(0, -2).map((nll) => -nll);
}

const rowsOf = (values: number[], width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));

function assertClose(actual: number[][], expected: number[][], what: string): void {
  const off = largestDifference(actual, expected);
  assert.ok(off < TOLERANCE, `${what}: logits are off by ${off}`);
}

function compareExport(kind: string, { logits, head2 }: Ours, { read }: Answers): void {
  const found = read[kind]!;
  assert.equal(found.class, "LlamaForCausalLM");
  assert.deepEqual(found.problems, {}, kind);
  assertClose(found.logits, logits[0]!, `export of ${kind} heads`);
  assertClose([found.head2], [head2], `head 2 of ${kind}, as heads.json says`);
  assert.deepEqual(found.eos, [0, 0, 0]);
  assert.deepEqual(found.tokens, TEXTS.map(encode), kind);
  assert.deepEqual(found.texts, TEXTS);
}

function compareMedusa(
  folder: string,
  kind: string,
  blocks: number,
  { logits }: Ours,
  { medusa }: Answers,
): void {
  const found = medusa[kind]!;
  assert.deepEqual(found.left, [], "no tensor is left over");
  for (const reading of [found.medusa, found.vllm]) {
    reading.forEach((head, i) => assertClose(head, logits[i + 1]!, `Medusa's head ${i} of ${kind}`));
  }
  const config = readJson(join(folder, `${kind}-out/medusa/config.json`));
  const { medusa_num_heads, medusa_num_layers, base_model_name_or_path } = config;
  assert.deepEqual([medusa_num_heads, medusa_num_layers, base_model_name_or_path], [2, blocks, "me/base"]);
}

async function compareImport(folder: string, name: string, { make }: Answers): Promise<void> {
  const { logits, files } = make[name]!;
  assert.equal(files.includes("model.safetensors.index.json"), name === "sharded", files.join());
  const io = ioFor(folder, `${name}-in`);
  await importStage({ id: "in", run: "import", needs: [], from: join(folder, name) }, io);
  const imported = readImported({ id: "in", run: "import", folder: io.folder });
  for (
    const heads of [
      imported.options.heads,
      { kind: "transformer", count: 3 },
      { kind: "sequential", count: 2 },
    ]
  ) {
    const layers = imported.options.layers + (heads.kind === "transformer" ? heads.count - 1 : 0);
    using model = new MtpModel({ ...imported.options, layers, heads } as ModelOptions, 1, "cpu");
    loadImported(imported, model);
    assertClose(logitsOf(model, IDS), logits, `import of ${name} with ${heads.kind} heads`);
  }
}

/** A folder that goes at the end. */
function temporary(): { folder: string } & Disposable {
  Deno.mkdirSync("runs/.test", { recursive: true });
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ dir: "runs/.test" }));
  return { folder, [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
}
