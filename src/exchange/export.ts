/**
 * The `export` stage: a trained arm as a folder that other programs open.
 *
 *     hf/       config.json, model.safetensors, tokenizer.json, ...   trunk and head 1: a Llama model for transformers
 *               heads.safetensors, heads.json                         the further heads, where there are any
 *     medusa/   config.json, medusa_lm_head.safetensors, ...          the further heads as servers load them (to: medusa)
 *
 * Tensor by tensor, without native code.
 */
import { dirname, join } from "node:path";
import type { ExportConfig } from "../config/schema.ts";
import { AtomicFolder, writeBytes, writeJson, writeText } from "../formats/atomic.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import { shapeOf } from "../model/shape.ts";
import { Interrupted } from "../stage/errors.ts";
import type { Need, Run, StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import { type Finished, readFinished } from "../train/finished.ts";
import { describeHeads } from "./heads_file.ts";
import { llamaConfig } from "./llama_config.ts";
import { blocksToHead1, furtherHeadTensors, llamaTensors } from "./llama_names.ts";
import { checkMedusa, writeMedusa } from "./medusa.ts";
import { modelCard } from "./model_card.ts";
import { tokenizerFiles } from "./tokenizer_files.ts";
import { entriesFor, openWeights } from "./weights.ts";

export const run: Run<ExportConfig> = async (config, io) => {
  const arm = readFinished(armOf(config, io));
  if (config.to === "medusa") checkMedusa(arm);
  writeHf(config, io, arm);
  await turn(); // signals get theirs
  if (io.stop.aborted) throw new Interrupted("stopped; run the same command again");
  if (config.to === "medusa") writeMedusa(config, io.folder, arm);
  io.log(`${arm.id}: in ${join(io.folder, config.to)}`);
};

/** The arm that is exported: `from`, or the one in needs. */
function armOf({ from }: ExportConfig, { needs }: StageIo): Need {
  if (from !== undefined) return { id: from, run: "train", folder: from };
  return needs.find(({ run }) => run === "train")!;
}

/** Trunk and head 1 as a Llama model, with the further heads beside it. */
function writeHf(config: ExportConfig, io: StageIo, arm: Finished): void {
  const { dtype } = config;
  const shape = shapeOf(arm.options);
  using folder = new AtomicFolder(join(io.folder, "hf"));
  const path = (name: string) => join(folder.temporary, name);
  const tokenizer = tokenizerFiles(arm, shardFolders(config, io), shape);
  const metadata = { format: "pt" };
  using weights = openWeights(arm);
  writeSafetensors(path("model.safetensors"), entriesFor(llamaTensors(shape), weights, dtype), metadata);
  const layers = blocksToHead1(shape).length;
  writeJson(path("config.json"), llamaConfig(shape, layers, tokenizer.end, dtype));
  writeJson(path("generation_config.json"), { bos_token_id: tokenizer.end, eos_token_id: tokenizer.end });
  for (const [name, bytes] of tokenizer.files) writeBytes(path(name), bytes);
  if (shape.heads.count > 1) {
    writeSafetensors(
      path("heads.safetensors"),
      entriesFor(furtherHeadTensors(shape), weights, dtype),
      metadata,
    );
    writeJson(path("heads.json"), describeHeads(shape));
  }
  writeText(path("README.md"), modelCard(arm, layers, dtype));
  folder.commit();
}

/** The shard sets that may have the arm's tokenizer: those in needs, and those beside an arm of another run. */
function shardFolders({ from }: ExportConfig, { needs }: StageIo): string[] {
  if (from === undefined) return needs.filter(({ run }) => run === "prepare").map(({ folder }) => folder);
  const run = dirname(from);
  return [...Deno.readDirSync(run)].filter(({ isDirectory }) => isDirectory).map(({ name }) =>
    join(run, name)
  );
}
