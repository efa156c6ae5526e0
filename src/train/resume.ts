/** How a run goes on: what must be the same as when it was saved, and how a checkpoint becomes the run's state again. */
import { createHash } from "node:crypto";
import { type TrainConfig, withoutCadence } from "../config/schema.ts";
import type { ShardSet } from "../data/shards.ts";
import { differences } from "../formats/differences.ts";
import { UserError } from "../stage/errors.ts";
import type { StageIo } from "../stage/io.ts";
import { type Machine, setRngState, versions } from "../torch/mod.ts";
import {
  ADVICE,
  checkpointsIn,
  loadPart,
  namesIn,
  PARTS,
  readCheckpoint,
  type RunState,
} from "./checkpoint.ts";
import type { Imported } from "./imported.ts";
import type { Learner } from "./learner.ts";
import type { Parts } from "./saver.ts";

/** What must be equal for a checkpoint to be this run's. Where and how often it is logged and saved may change. */
export function identityOf(config: TrainConfig, set: ShardSet, imported: Imported | null): RunState["run"] {
  const shards = set.meta.splits.train.shards.map((shard) => [shard.sha256, shard.indexSha256]);
  return {
    seed: config.seed,
    model: config.model,
    curriculum: config.curriculum,
    train: withoutCadence(config.train),
    tokenizer: set.meta.tokenizer,
    text: createHash("sha256").update(JSON.stringify(shards)).digest("hex"),
    ...(imported !== null && { imported: imported.sha256 }),
  };
}

/** What must be equal for a run to go on to the same bits. */
export function bitsOf({ device, threads }: Machine): RunState["machine"] {
  const { running: torch, rows } = versions();
  return { device, threads, torch, rows };
}

/** The tensors that a checkpoint holds. */
export function partsOf({ model, optimizer, ema }: Learner): Parts {
  const parts = { model: model.parameters.entries(), optimizer: optimizer.entries() };
  return { ...parts, ...(ema && { ema: ema.entries() }) };
}

/** How differences name what was saved. */
const THEN = "in the checkpoint";

/**
 * Gives a learner the state of its newest checkpoint; null where there is none.
 *
 * @throws {UserError} saying what is damaged, or what differs where the checkpoint is of another run.
 */
export function resume(
  io: StageIo,
  learner: Learner,
  identity: RunState["run"],
  machine: Machine,
): RunState | null {
  const newest = checkpointsIn(io.folder).at(-1);
  if (newest === undefined) return null;
  const state = readCheckpoint(newest, PARTS, ADVICE.resume);
  const changed = differences(state.run, JSON.parse(JSON.stringify(identity)), THEN);
  if (changed.length > 0) {
    throw new UserError(
      `"${newest}" is of another run: ${changed.join("; ")}. ` +
        `Start under a new name, or with --force to throw it away`,
    );
  }
  const other = differences(state.machine, bitsOf(machine), THEN);
  if (other.length > 0) io.log(`warning: not to the same bits as before: ${other.join("; ")}`);
  learner.optimizer.expect(namesIn(newest, "optimizer"));
  const parts = partsOf(learner);
  for (const part of PARTS) if (parts[part] !== undefined) loadPart(newest, part, parts[part]);
  learner.curriculum.restore(state.curriculum);
  setRngState(Uint8Array.fromBase64(state.rng));
  io.log(`resumed from step ${state.step}`);
  return state;
}
