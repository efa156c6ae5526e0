/** A run of one stage that needs no pipeline file: the same runner, permissions, status, lock and log. */

import { run } from "./command.ts";

/** The stage as a pipeline file would have it, and where its run goes. */
export interface OneStage {
  readonly stage: { readonly id: string; readonly run: string } & Record<string, unknown>;
  /** Of the run; what a name cannot hold is replaced. */
  readonly name: string;
  readonly runs: string;
  readonly force: boolean;
}

/** Checks and runs it; the exit code. */
export async function runStage({ stage, name, runs, force }: OneStage): Promise<number> {
  const { configOfStages } = await import("../config/load.ts");
  const config = configOfStages([stage], name.replaceAll(/[^\w-]+/g, "-").replace(/^[-_]+/, "").slice(0, 64));
  const selection = { force, ...(force ? { only: [stage.id] } : {}) };
  const again = `foretoken ${stage.run}`;
  return await run({ config, file: again, command: { file: again, set: [] }, runs, selection, alone: true });
}
