/** All that a run tells of itself: metrics.jsonl, TensorBoard's events, the progress line, the log, warnings. */
import type { StageIo } from "../stage/io.ts";
import { Metrics, type MetricsLine, type StepLine, type ValidationLine } from "./metrics.ts";
import { type Outlook, progressLine } from "./progress.ts";
import { TensorBoard } from "./tensorboard.ts";
import { type Circumstances, Watcher } from "./warnings.ts";

export class Journal implements Disposable {
  readonly #metrics: Metrics;
  readonly #events: TensorBoard;
  readonly #watcher: Watcher;
  /** Whether the latest lines wait in memory for a disk with room. */
  #waits = false;

  /**
   * Opens the files of a run of which `step` steps are done, and drops what they say of later ones.
   *
   * @throws {UserError} where the system refuses.
   */
  constructor(readonly io: StageIo, step: number, run: Circumstances) {
    using opened = new DisposableStack();
    this.#metrics = opened.use(new Metrics(io.folder, step));
    this.#events = opened.use(new TensorBoard(io.folder, step));
    this.#watcher = new Watcher(run);
    for (const line of this.#metrics.before) this.#watcher.see(line); // said before
    opened.move();
  }

  /** A few steps, averaged. */
  step(line: StepLine, outlook: Outlook): void {
    this.#write(line);
    this.#events.write(line);
    this.io.progress((columns) => progressLine(line, outlook, columns));
    this.#advise(line);
  }

  /** A pass over held-out text. */
  validation(line: ValidationLine): void {
    this.#write(line);
    this.#events.write(line);
    const drafts = line.acceptance.length === 0
      ? ""
      : `, ${line.expected_tokens_per_forward.toFixed(2)} tokens a forward expected`;
    this.io.log(`step ${line.step}: ${line.bits_per_byte.toFixed(4)} bits per byte held out${drafts}`);
    this.#advise(line);
  }

  /** Something that the user should look at. */
  warn(step: number, name: string, message: string): void {
    this.#write({ kind: "warning", step, name, message });
    this.io.log(`warning: ${message}`);
  }

  /** Everything up to now is on the disk. @throws {UserError} where the system refuses. */
  flush(): void {
    this.#metrics.flush();
  }

  #advise(line: StepLine | ValidationLine): void {
    for (const { step, name, message } of this.#watcher.see(line)) this.warn(step, name, message);
  }

  #write(line: MetricsLine): void {
    const refusal = this.#metrics.write(line);
    if (refusal !== null && !this.#waits) {
      const why = refusal.message.replace(/, then run the same command again$/, ""); // nobody has to
      this.io.log(`warning: ${why}. Until there is room, these lines wait in memory`);
    }
    this.#waits = refusal !== null;
  }

  [Symbol.dispose](): void {
    this.#events[Symbol.dispose]();
    this.#metrics[Symbol.dispose]();
  }
}
