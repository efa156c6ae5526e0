/** The run's scalars as TensorBoard reads them: `tensorboard --logdir runs/<name>` shows every arm. */
import { join } from "node:path";
import { writing } from "../formats/file_errors.ts";
import { GrowingFile } from "../formats/growing_file.ts";
import { fileVersion, type Scalar, scalars, sessionStart } from "../formats/tfevents.ts";
import type { StepLine, ValidationLine } from "./metrics.ts";

/** A new event file for each attempt, as the format wants it: what it says replaces later steps of earlier files. */
export class TensorBoard implements Disposable {
  readonly #file: GrowingFile;

  /**
   * Begins a file in `<folder>/tensorboard`.
   *
   * @param step Steps that are done.
   * @throws {UserError} where the system refuses.
   */
  constructor(folder: string, step: number, readonly now: () => number = () => Date.now() / 1000) {
    const events = join(folder, "tensorboard");
    writing(events, () => Deno.mkdirSync(events, { recursive: true }));
    const begun = nextSecond(events, now());
    this.#file = new GrowingFile(join(events, `events.out.tfevents.${begun}.foretoken`));
    this.#file.append(fileVersion(now()));
    this.#file.append(sessionStart(now(), step + 1));
  }

  /** What the system refuses is written later. */
  write(line: StepLine | ValidationLine): void {
    const values = line.kind === "step" ? ofStep(line) : ofValidation(line);
    this.#file.append(scalars(this.now(), line.step, values));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** Readers take files in the order of the seconds in their names: later than all that are there, whatever the clock says. */
function nextSecond(folder: string, now: number): number {
  const seconds = [...writing(folder, () => [...Deno.readDirSync(folder)])]
    .map(({ name }) => Number(/^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1] ?? 0));
  return Math.max(Math.floor(now), ...seconds.map((second) => second + 1));
}

function ofStep(line: StepLine): Scalar[] {
  return [
    ["loss/objective", line.loss],
    ...perHead("loss", line.heads),
    ...perHead("weight", line.weights),
    ["optimizer/learning_rate", line.lr],
    ["optimizer/gradient_norm", line.grad_norm],
    ["optimizer/clipped_share", line.clipped],
    ["speed/tokens_per_second", line.tokens_per_s],
    ...(line.mfu === null ? [] : [["speed/mfu", line.mfu] as const]),
    ["memory/bytes", line.memory_bytes],
  ];
}

function ofValidation(line: ValidationLine): Scalar[] {
  return [
    ["validation/bits_per_byte", line.bits_per_byte],
    ...perHead("validation/loss", line.heads.map(({ loss }) => loss)),
    ...perHead("validation/accuracy", line.heads.map(({ accuracy }) => accuracy)),
    ["validation/expected_tokens_per_forward", line.expected_tokens_per_forward],
  ];
}

/** `loss/head_1`, `validation/loss_head_1`, ...; nothing for a head that sleeps or has no target. */
function perHead(name: string, values: readonly (number | null)[]): Scalar[] {
  const prefix = name.includes("/") ? `${name}_head_` : `${name}/head_`;
  return values.flatMap((value, i) =>
    value === null || !Number.isFinite(value) ? [] : [[`${prefix}${i + 1}`, value] as const]
  );
}
