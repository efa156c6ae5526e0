/**
 * This project's side of `tasks`: takes a {@link TasksCase} in JSON, writes its weights and says that it is ready. It
 * answers each line with the milliseconds that one pass over all sentences took and their log-probabilities, in JSON.
 */
import process from "node:process";
import { likelihoods } from "../../src/eval/tasks/likelihood.ts";
import { alternativesOf } from "../../src/eval/tasks/sequences.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { MtpModel } from "../../src/model/mod.ts";
import { byteTokenizer } from "../../src/text/tokenizer.ts";
import { start } from "../../src/torch/mod.ts";
import { linesOf } from "./child.ts";
import { print } from "./table.ts";
import type { TasksCase } from "./tasks.ts";

function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function main({ model: options, weights, sentences: file }: TasksCase): Promise<void> {
  start({ device: "cpu", threads: "auto" });
  using model = new MtpModel(options, 1, "cpu");
  writeSafetensors(
    weights,
    model.parameters.entries().map(([name, tensor]) => ({
      name,
      dtype: "F32",
      shape: tensor.shape,
      bytes: () => tensor.toBytes(),
    })),
  );
  const sentences: string[] = JSON.parse(Deno.readTextFileSync(file));
  print("ready");
  for await (const _ of linesOf(Deno.stdin.readable)) {
    const started = performance.now(), before = cpuMilliseconds();
    const pairs = Array.from({ length: sentences.length / 2 }, (_, i) => ({
      form: "pair" as const,
      good: sentences[2 * i]!,
      bad: sentences[2 * i + 1]!,
    }));
    const asked = pairs.flatMap((pair) => alternativesOf(pair, byteTokenizer(), options.context));
    const found = await likelihoods(model, asked.map(({ sequences }) => sequences[0]!));
    const milliseconds = performance.now() - started, cpu = cpuMilliseconds() - before;
    print(JSON.stringify({ milliseconds, cpu, logProbabilities: found.map(({ nats }) => -nats) }));
  }
}

await main(JSON.parse(Deno.args[0]!));
