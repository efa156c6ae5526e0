/** `foretoken fetch`: a data set, without a pipeline file. */

import type { Command } from "@commander-js/extra-typings";
import { DATASETS } from "../config/datasets.ts";
import { UsageError } from "../stage/errors.ts";
import { collect, command, type Finish, RUNS, wholeNumber } from "./command.ts";
import { runStage } from "./one_stage.ts";

const SHORT_NAMES = Object.entries(DATASETS).map(([name, { about, licence }]) =>
  `  ${name.padEnd(12)}  ${about} (${licence})`
);

const MORE_HELP = `
Short names (and licences):
${SHORT_NAMES.join("\n")}

Environment:
  HF_TOKEN                  shown to the endpoint alone
  HTTPS_PROXY, NO_PROXY     a proxy, and what is reached without it
  DENO_TLS_CA_STORE=system  trust the certificates that this machine trusts
  DENO_CERT                 a file with a further certificate`;

export function addFetchCommand(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "fetch",
      "download a public data set; a stopped download goes on where it was",
      "foretoken fetch minipile",
      "foretoken fetch wikitext-103 --split train",
      "foretoken fetch HuggingFaceFW/fineweb-edu --config sample-10BT --include 'sample/10BT/000_*.parquet'",
      "foretoken fetch owner/name --endpoint https://hub.example.com --host cdn.example.com",
      "",
      "then: foretoken prepare quickstart --set name=pile --set text.input='[runs/minipile/fetch/files]'",
    )
      .argument("<name>", "a short name (below), or owner/name as the hub has it")
      .option("--config <name>", "one of the data set's configurations")
      .option("--split <name>", "one of its splits, such as train")
      .option("--include <glob>", "files wanted, in place of --config and --split; may be repeated", collect)
      .option("--revision <name>", "branch, tag or commit; the commit found on the first run is kept")
      .option("--endpoint <url>", "the hub, or a mirror that speaks its paths")
      .option("--host <name>", "a host that downloads may be redirected to; may be repeated", collect)
      .option("--parallel <n>", "files that are downloaded at a time", wholeNumber(1))
      .option("--name <name>", "the folder in --runs; default the data set's name")
      .option("--force", "start over, also where everything is there")
      .option(...RUNS)
      .addHelpText("after", MORE_HELP)
      .action(async (dataset, { name, force = false, runs, host, ...wanted }) => {
        if (/\.ya?ml$/.test(dataset)) {
          throw new UsageError(
            `${dataset} is a pipeline file: \`foretoken pipeline ${dataset} --only ID\` runs one fetch stage of it`,
          );
        }
        const stage = { id: "fetch", run: "fetch", dataset, ...wanted, ...(host ? { hosts: host } : {}) };
        const parts = [dataset.split("/").at(-1)!, wanted.config, wanted.split].filter((part) =>
          part !== undefined
        );
        finish(await runStage({ stage, name: name ?? parts.join("-"), runs, force }));
      }),
  );
}
