/**
 * The `decode` stage: every arm decodes the same prompts, domain by domain, plainly and with the drafts of 2 to K heads,
 * one prompt at a time and in batches. It reports tokens a forward pass, acceptance by depth, wall-clock ratios to the
 * best plain decoder, where the time goes, repetition, and whether the outputs are equal.
 */
import { join } from "node:path";
import type { DecodeConfig } from "../config/schema.ts";
import { verifyShards } from "../data/shards.ts";
import { tokenizerOf } from "../data/tokenizer_of.ts";
import { writeJson } from "../formats/atomic.ts";
import { UserError } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { gpu, inWords, type Kernels, type Machine, start, versions } from "../torch/mod.ts";
import { type Arm, checkTokenizer, openArm } from "../train/arm.ts";
import { draftedTokens, headsOf, isLossless, toleranceOf } from "./contenders.ts";
import { type Domain, openDomains } from "./domains.ts";
import { linesOf } from "./log_table.ts";
import { measureDomain } from "./measure.ts";
import { checkMemory, freeBytes } from "./memory.ts";
import type { ArmResult, DomainResult } from "./results.ts";

export const run: Run<DecodeConfig> = async (config, io) => {
  const machine = startFor(config);
  io.log(inWords(machine));
  const set = verifyShards(io.needs.find((need) => need.run === "prepare")!.folder);
  using tokenizer = tokenizerOf(set);
  const domains = await openDomains(config, set, tokenizer, io);
  const arms = [];
  for (const need of io.needs.filter(({ run }) => run === "train")) {
    using arm = openArm(need, machine.device);
    checkTokenizer(arm, set);
    checkRoom(arm, domains, config);
    const measured = await measureArm(arm, tokenizer, domains, config, io);
    for (const line of linesOf(measured)) io.log(line);
    arms.push(measured);
  }
  if (!isLossless(config)) {
    io.log("typical acceptance is not lossless: outputs may differ from plain decoding's");
  }
  const { mode, prompt_bytes, new_tokens, repeats, sampling, acceptance, tree = null } = config;
  writeJson(join(io.folder, "decode.json"), {
    mode,
    tolerance: toleranceOf(config),
    prompt_bytes,
    new_tokens,
    repeats,
    sampling,
    acceptance,
    lossless: isLossless(config),
    tree,
    machine: factsOf(machine),
    domains: domains.map(({ name, source }) => ({ name, source })),
    arms,
  });
};

/** Strict decoding runs on the CPU, which has the kernels for it. @throws {UserError} when CUDA is asked for. */
function startFor(config: DecodeConfig): Machine {
  if (config.mode !== "strict") return start(config);
  if (config.device === "cuda") {
    throw new UserError("mode: strict has kernels for the CPU only; set mode: exact, or device: cpu or auto");
  }
  const machine = start({ ...config, device: "cpu" });
  return { ...machine, reason: "strict decoding has kernels for the CPU only" };
}

function factsOf({ device, threads }: Machine): Record<string, unknown> {
  return {
    cpus: navigator.hardwareConcurrency,
    threads,
    device,
    gpu: device === "cpu" ? null : gpu(device).name,
    torch: versions().running,
    deno: Deno.version.deno,
  };
}

/** How many tokens a prompt has is known only now, where they are subwords. @throws {UserError} naming what is too long. */
function checkRoom({ id, model }: Arm, domains: readonly Domain[], { new_tokens }: DecodeConfig): void {
  const longest = longestPrompt(domains);
  const { context } = model.shape;
  if (longest + new_tokens <= context) return;
  throw new UserError(
    `A prompt of ${longest} tokens and new_tokens (${new_tokens}) do not fit the context of ${id} (${context}): ` +
      `lower new_tokens or prompt_bytes`,
  );
}

const longestPrompt = (domains: readonly Domain[]): number =>
  Math.max(...domains.flatMap(({ passages }) => passages.map(({ prompt }) => prompt.length)));

async function measureArm(
  arm: Arm,
  tokenizer: Tokenizer,
  domains: readonly Domain[],
  config: DecodeConfig,
  io: StageIo,
): Promise<ArmResult> {
  const { id, curriculum, model } = arm;
  const kernels = config.mode === "strict" ? "rows" : "aten";
  const others: Kernels = kernels === "rows" ? "aten" : "rows";
  using decoder = model.decoder(kernels);
  using other = model.device === "cpu" ? model.decoder(others) : null;
  checkBatches(arm, longestPrompt(domains), config); // beside what the weights take
  const measured: DomainResult[] = [];
  for (const domain of domains) {
    measured.push(await measureDomain({ id, model, decoder, other, tokenizer, config, io }, domain));
  }
  return { id, curriculum, heads: model.headCount, kernels, domains: measured };
}

/** @throws {UserError} when the largest batch needs more memory than is free. */
function checkBatches({ id, model }: Arm, prompt: number, config: DecodeConfig): void {
  const numbers = headsOf(config, model.headCount).map((heads) => heads === "auto" ? model.headCount : heads);
  const heads = Math.max(...numbers);
  const together = {
    sequences: Math.max(...config.batches),
    prompt,
    newTokens: config.new_tokens,
    heads,
    drafted: draftedTokens(config, heads),
  };
  checkMemory(id, model.shape, together, freeBytes(model.device), "batches, new_tokens or prompt_bytes");
}
