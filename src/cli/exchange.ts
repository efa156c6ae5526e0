/** `foretoken import` and `foretoken export`: models of other programs to this one's, and back. */

import { type Command, Option } from "@commander-js/extra-typings";
import { basename, dirname, resolve } from "node:path";
import { command, type Finish, RUNS } from "./command.ts";
import { runStage } from "./one_stage.ts";

export function addExchangeCommands(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "import",
      "take over a Llama-architecture checkpoint, to train it on with further heads",
      "foretoken import ~/models/SmolLM2-135M --from hf --name smol",
    )
      .argument("<folder>", "the checkpoint: config.json, safetensors and tokenizer.json")
      .addOption(
        new Option("--from <format>", "its format: hf, that of transformers").choices(["hf"]).default("hf"),
      )
      .option("--name <name>", "the folder in --runs; default the checkpoint's name")
      .option("--force", "start over, also where everything is there")
      .option(...RUNS)
      .action(async (folder, { name, force = false, runs }) => {
        const stage = { id: "import", run: "import", from: folder };
        finish(await runStage({ stage, name: name ?? basename(resolve(folder)), runs, force }));
      }),
  );

  program.addCommand(
    command(
      "export",
      "write a trained model for other programs",
      "foretoken export quickstart/forward --to hf         a folder that transformers opens, the heads beside it",
      "foretoken export quickstart/forward --to medusa     residual heads, as servers load them",
    )
      .argument("<arm>", "RUN/STAGE of a training, or its folder")
      .addOption(
        new Option("--to <format>", "hf: as transformers opens it; medusa: heads as servers load them")
          .choices(["hf", "medusa"]).default("hf"),
      )
      .addOption(
        new Option("--dtype <type>", "type of the numbers in the files").choices(["float32", "bfloat16"]),
      )
      .option("--base-model <name>", "medusa: where servers find the model below the heads")
      .option("--name <name>", "the folder in --runs; default made of the arm's and the format's names")
      .option("--force", "start over, also where everything is there")
      .option(...RUNS)
      .action(async (arm, { to, dtype, baseModel, name, force = false, runs }) => {
        const { findStage } = await import("../pipeline/results.ts");
        const from = findStage(arm, "train", runs);
        const stage = {
          id: "export",
          run: "export",
          from,
          to,
          ...(dtype === undefined ? {} : { dtype }),
          ...(baseModel === undefined ? {} : { base_model: baseModel }),
        };
        const usual = `${basename(dirname(from))}-${basename(from)}-${to}`;
        finish(await runStage({ stage, name: name ?? usual, runs, force }));
      }),
  );
}
