/**
 * Generation quality: continuations of held-out prompts by every arm, measured against what really follows there, for
 * repetition, and, where the pipeline file names servers, by SemScore and by a judge.
 */

import { join } from "node:path";
import type { EvalConfig, GenerationConfig, ServerConfig } from "../../config/schema.ts";
import { hostOf } from "../../config/hosts.ts";
import type { ShardSet } from "../../data/shards.ts";
import { tokenizerOf } from "../../data/tokenizer_of.ts";
import { UserError } from "../../stage/errors.ts";
import type { StageIo } from "../../stage/io.ts";
import type { Device } from "../../torch/mod.ts";
import { checkTokenizer, openArm } from "../../train/arm.ts";
import { Answers } from "./answers.ts";
import { BLEU_SIGNATURE } from "./bleu.ts";
import { collect } from "./collect.ts";
import { compare, type Comparison, summarizeOutcomes } from "./compare.ts";
import { cutExcerpts, type Excerpt, tokensFor } from "./continuations.ts";
import { type Figures, likeness, meanFigure, repetitiveness } from "./figures.ts";
import { CRITERIA, PROMPTS_SHA256, score, type Scoring, scoringOf } from "./judge.ts";
import { ROUGE_SIGNATURE } from "./rouge.ts";
import { embed, semscore } from "./semscore.ts";
import { PAUSES, Server } from "./server.ts";
import { type OutputKind, write, type Written } from "./written.ts";

/** `generation` in eval.json. */
export interface Generation {
  readonly prompts: number;
  readonly prompt_bytes: number;
  readonly new_bytes: number;
  readonly sampled: GenerationConfig["sampled"];
  readonly signatures: { readonly bleu: string; readonly rouge_l: string };
  readonly semscore: { readonly model: string; readonly host: string } | null;
  readonly judge: {
    readonly model: string;
    readonly host: string;
    readonly scoring: Scoring;
    /** Answers a score is the mean of; null where it is weighted with probabilities. */
    readonly samples: number | null;
    readonly prompts_sha256: string;
  } | null;
  /** Of the true continuations. */
  readonly reference: Figures;
  readonly arms: readonly {
    readonly id: string;
    readonly curriculum: string;
    readonly outputs: readonly {
      readonly kind: OutputKind;
      /** Continuations without any text. */
      readonly empty: number;
      readonly figures: Figures;
    }[];
  }[];
  /** Each further arm against the first. */
  readonly comparisons: readonly ({
    readonly arm: string;
    readonly against: string;
    readonly kind: OutputKind;
  } & Comparison)[];
  readonly samples: readonly {
    readonly prompt: string;
    readonly reference: string;
    readonly texts: readonly { readonly arm: string; readonly kind: OutputKind; readonly text: string }[];
  }[];
}

/** Prompts whose continuations are shown. */
const SAMPLES = 5;

/** Measures what the pipeline file asks for; undefined where it has no `generation`. */
export async function measureGeneration(
  { generation: config, split, seed }: EvalConfig,
  set: ShardSet,
  device: Device,
  io: StageIo,
): Promise<Generation | undefined> {
  if (config === undefined) return undefined;
  const keys = keysFor(config); // a key that is not set ends the stage before anything is computed
  using tokenizer = tokenizerOf(set);
  const excerpts = cutExcerpts(set, split, tokenizer, config);
  const newTokens = tokensFor(config.new_bytes, set, split, tokenizer);
  const arms: Written[] = [];
  for (const need of io.needs.filter(({ run }) => run === "train")) {
    using arm = openArm(need, device);
    checkTokenizer(arm, set);
    arms.push(await write(arm, { excerpts, config, newTokens, seed, tokenizer }, io));
  }
  using answers = new Answers(join(io.folder, "answers.jsonl"));
  const serverOf = (server: ServerConfig) =>
    new Server(server, { key: keys.get(server), answers, pauses: PAUSES, log: io.log });
  const generation = await measured(config, excerpts, arms, serverOf, io);
  for (const { id, outputs } of generation.arms) {
    for (const { kind, figures } of outputs) io.log(`${id}, ${kind}: ${inWords(figures)}`);
  }
  return generation;
}

/** The keys of the servers that name a variable. @throws {UserError} where one is not set */
function keysFor({ semscore, judge }: GenerationConfig): Map<ServerConfig, string> {
  const keys = new Map<ServerConfig, string>();
  for (const [what, server] of Object.entries({ semscore, judge })) {
    if (server?.key_env === undefined) continue;
    const key = Deno.env.get(server.key_env);
    if (!key) {
      throw new UserError(
        `generation.${what}.key_env names ${server.key_env}, which is not set: set it to the key of ${server.endpoint}, ` +
          "or leave key_env out for a server without keys",
      );
    }
    keys.set(server, key);
  }
  return keys;
}

async function measured(
  config: GenerationConfig,
  excerpts: readonly Excerpt[],
  arms: readonly Written[],
  serverOf: (config: ServerConfig) => Server,
  io: StageIo,
): Promise<Generation> {
  const references = excerpts.map(({ reference }) => reference);
  const semscores = config.semscore && await semscoresOf(arms, references, serverOf(config.semscore), io);
  const judged = config.judge && await judgedBy(serverOf(config.judge), config.judge, excerpts, arms, io);
  const { prompt_bytes, new_bytes, sampled, semscore } = config;
  return {
    prompts: excerpts.length,
    prompt_bytes,
    new_bytes,
    sampled,
    signatures: { bleu: BLEU_SIGNATURE, rouge_l: ROUGE_SIGNATURE },
    semscore: semscore ? named(semscore) : null,
    judge: judged?.judge ?? null,
    reference: repetitiveness(references),
    arms: arms.map(({ id, curriculum, outputs }) => ({
      id,
      curriculum,
      outputs: outputs.map((output) => ({
        kind: output.kind,
        empty: output.texts.filter((text) => text.trim() === "").length,
        figures: {
          ...likeness(output.texts, references),
          ...repetitiveness(output.texts),
          ...semscores?.(output.texts),
          ...judged?.figuresOf(output),
        },
      })),
    })),
    comparisons: judged?.comparisons ?? [],
    samples: excerpts.slice(0, SAMPLES).map(({ promptText, reference }, i) => ({
      prompt: promptText,
      reference,
      texts: arms.flatMap(({ id, outputs }) =>
        outputs.map(({ kind, texts }) => ({ arm: id, kind, text: texts[i]! }))
      ),
    })),
  };
}

const named = ({ model, endpoint }: ServerConfig) => ({ model, host: hostOf(new URL(endpoint)) });

/** The figure `semscore` of some texts against the references. */
async function semscoresOf(
  arms: readonly Written[],
  references: readonly string[],
  server: Server,
  io: StageIo,
): Promise<(texts: readonly string[]) => Figures> {
  const texts = arms.flatMap(({ outputs }) => outputs.flatMap((output) => output.texts));
  const embeddings = await embed([...references, ...texts], server, io);
  return (texts) => ({
    semscore: meanFigure(texts.map((text, i) => semscore(text, references[i]!, embeddings))),
  });
}

type Output = Written["outputs"][number];

interface Judged {
  readonly judge: NonNullable<Generation["judge"]>;
  readonly figuresOf: (output: Output) => Figures;
  readonly comparisons: Generation["comparisons"];
}

async function judgedBy(
  server: Server,
  config: NonNullable<GenerationConfig["judge"]>,
  excerpts: readonly Excerpt[],
  arms: readonly Written[],
  io: StageIo,
): Promise<Judged> {
  const ratedOf = ({ texts }: Output, i: number) => ({
    beginning: excerpts[i]!.promptText,
    continuation: texts[i]!,
  });
  const outputs = arms.flatMap((arm) => arm.outputs);
  const scoring = await scoringOf(config, ratedOf(outputs[0]!, 0), server, io.stop);
  const way = { scoring, samples: config.samples };
  const items = outputs.flatMap((output) =>
    CRITERIA.flatMap((criterion) => excerpts.map((_, i) => ({ output, criterion, i })))
  );
  const scores = await collect(
    "judge",
    items,
    config,
    io,
    ({ output, criterion, i }, stop) => score(ratedOf(output, i), criterion, way, server, stop),
  );
  const scoresOf = (output: Output, criterion: string) =>
    scores.filter((_, at) => items[at]!.output === output && items[at]!.criterion === criterion);
  return {
    judge: {
      ...named(config),
      scoring,
      samples: scoring === "samples" ? config.samples : null,
      prompts_sha256: PROMPTS_SHA256,
    },
    figuresOf: (output) =>
      Object.fromEntries(
        CRITERIA.map((criterion) => [`judge_${criterion}`, meanFigure(scoresOf(output, criterion))]),
      ),
    comparisons: config.pairwise ? await comparisonsBy(server, config, excerpts, arms, io) : [],
  };
}

async function comparisonsBy(
  server: Server,
  config: ServerConfig,
  excerpts: readonly Excerpt[],
  [first, ...others]: readonly Written[],
  io: StageIo,
): Promise<Generation["comparisons"]> {
  const pairs = others.flatMap((arm) =>
    arm.outputs.map((output, o) => ({ arm, output, against: first!.outputs[o]! }))
  );
  const items = pairs.flatMap((pair) => excerpts.map(({ promptText }, i) => ({ pair, promptText, i })));
  const outcomes = await collect(
    "judge, in pairs",
    items,
    config,
    io,
    ({ pair: { output, against }, promptText, i }, stop) =>
      compare(promptText, output.texts[i]!, against.texts[i]!, server, stop),
  );
  return pairs.map((pair) => ({
    arm: pair.arm.id,
    against: first!.id,
    kind: pair.output.kind,
    ...summarizeOutcomes(outcomes.filter((_, at) => items[at]!.pair === pair)),
  }));
}

function inWords(figures: Figures): string {
  const said = (name: string, digits: number) => figures[name]?.value?.toFixed(digits) ?? "none";
  const more = Object.keys(figures).filter((name) => /^(semscore|judge_)/.test(name));
  return [
    `BLEU ${said("bleu", 2)}`,
    `ROUGE-L ${said("rouge_l", 3)}`,
    `rep-4 ${said("rep_4", 3)}`,
    ...more.map((name) => `${name.replace("_", " ")} ${said(name, 3)}`),
  ].join(", ");
}
