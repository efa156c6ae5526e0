/** `foretoken model show`: what models cost, before any is trained. */

import { type Command, Option } from "@commander-js/extra-typings";
import { EXIT } from "../stage/errors.ts";
import { collect, command, type Finish, JSON_OPTION, SET, wholeNumber } from "./command.ts";
import { writeResult } from "./terminal.ts";
import { madeUp, type Training, trainingsOf } from "./trainings.ts";

export function addModelCommand(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "model",
      "show what a model costs",
      "foretoken model show quickstart",
      "foretoken model show 1.3b --heads 4 --vocab 32000",
    ).addCommand(
      command(
        "show",
        "parameters by module, FLOPs a token by heads awake, memory of a micro-batch",
        "foretoken model show quickstart --stage forward",
        "foretoken model show my.yaml --set '*.model.heads.count=8' --json",
        "foretoken model show 1.3b --heads 4 --kind transformer --vocab 32000 --context 2048",
      )
        .argument("<model>", "a pipeline file or its name; or a preset, such as 100m or 1.3b")
        .option("--stage <id>", "of a pipeline: only this train stage")
        .option(...SET, collect)
        .option("--heads <n>", "of a preset: prediction heads", wholeNumber(1), 1)
        .addOption(
          new Option("--kind <name>", "of a preset: what the heads are made of")
            .choices(["linear", "transformer", "residual", "sequential"]).default("linear"),
        )
        .option("--context <n>", "of a preset: tokens of a sequence", wholeNumber(2), 1024)
        .option("--batch <n>", "of a preset: sequences of a micro-batch", wholeNumber(1), 8)
        .option(
          "--vocab <n>",
          "ids of tokens; default those of the pipeline's tokenizer, or of bytes",
          wholeNumber(1),
        )
        .option(...JSON_OPTION)
        .action(async (given, { stage, set = [], json = false, vocab, ...preset }) => {
          const { PRESETS } = await import("../config/schema/model.ts");
          const trainings = Object.hasOwn(PRESETS, given.toLowerCase())
            ? [await presetTraining(given.toLowerCase(), preset)]
            : await trainingsOf(given, set, stage, Object.keys(PRESETS));
          const models = await Promise.all(trainings.map(async ({ stage: { id, model, train }, text }) => ({
            id,
            options: { ...model, vocab: vocab ?? await vocabularyOf(text) },
            batch: train.batch,
            recompute: train.recompute === "blocks",
          })));
          const [account, { shapeOf }, { showModel }] = await Promise.all([
            import("../model/account.ts"),
            import("../model/shape.ts"),
            import("./model_account.ts"),
          ]);
          writeResult(
            json,
            () =>
              models.flatMap(({ id, options, batch, recompute }) => [
                ...showModel(id, options, batch, recompute),
                "",
              ]).slice(0, -1),
            () =>
              models.map(({ id, options, batch, recompute }) => {
                const shape = shapeOf(options);
                return {
                  id,
                  ...options,
                  parameters: account.parameterCount(shape),
                  modules: account.parametersByModule(shape),
                  flops_per_token: Array.from(
                    { length: options.heads.count },
                    (_, i) => account.flopsPerToken(shape, i + 1),
                  ),
                  batch,
                  memory_bytes: account.memoryOf(shape, batch, recompute),
                };
              }),
          );
          finish(EXIT.done);
        }),
    ),
  );
}

interface PresetKeys {
  readonly heads: number;
  readonly kind: string;
  readonly context: number;
  readonly batch: number;
}

async function presetTraining(
  preset: string,
  { heads, kind, context, batch }: PresetKeys,
): Promise<Training> {
  const model = { preset, context, heads: { kind, count: heads } };
  const { stage, text } = await madeUp("preset", { model, train: { steps: 1, batch } });
  return { stage: { ...stage, id: preset }, text }; // a stage's own id has no dot
}

/** Ids of the tokens that a text is prepared to. */
async function vocabularyOf({ tokenizer }: Training["text"]): Promise<number> {
  if (typeof tokenizer === "object") return tokenizer.vocab;
  const [{ byteTokenizer }, { openTokenizerFile }] = await Promise.all([
    import("../text/tokenizer.ts"),
    import("../text/bpe.ts"),
  ]);
  using opened = tokenizer === "bytes" ? byteTokenizer() : openTokenizerFile(tokenizer);
  return opened.vocab;
}
