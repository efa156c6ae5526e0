/**
 * Saves checkpoints while training goes on: everything is copied between two steps, written by a thread, and given its
 * name when all of it is on the disk. One save is in flight at a time; older checkpoints go only after that.
 */
import { join } from "node:path";
import { AtomicFolder, removePartials } from "../formats/atomic.ts";
import { fileError, writing } from "../formats/file_errors.ts";
import { safetensorsLayout } from "../formats/safetensors.ts";
import { UserError } from "../stage/errors.ts";
import {
  type Device,
  finishSave,
  releaseSave,
  reserveSave,
  startSave,
  type TensorFile,
  TorchError,
} from "../torch/mod.ts";
import {
  checkpointsFolder,
  type Checksums,
  type Entries,
  fileOf,
  nameOfStep,
  type Part,
  PARTS,
  type RunState,
  safetensorsDtype,
  writeState,
} from "./checkpoint.ts";
import { indexOf, type Keeping, kept, writeIndex } from "./checkpoint_index.ts";

/** The tensors of a checkpoint. */
export type Parts = Partial<Record<Part, Entries>>;

/** A save whose files a thread is writing. */
interface Flight {
  readonly folder: AtomicFolder;
  readonly state: RunState;
  readonly parts: readonly Part[];
}

/** Bytes that are enough for a file's header: some hundred a tensor. */
const HEADER = 1 << 20;
/** Milliseconds between looks at a save that is waited for. */
const LOOK = 5;

export class Saver implements Disposable {
  #flight: Flight | null = null;
  /** Old checkpoints that are being removed. */
  #removal: Promise<void> = Promise.resolve();
  /** The step of the newest checkpoint that is whole; null: there is none. */
  saved: number | null;
  /** Why the latest save failed; null when it did not, or has not yet ended. */
  failure: UserError | null = null;

  /**
   * @param warn Told of a save that failed: training goes on.
   * @param before Called before each save: what has to be on the disk before a checkpoint may know of it.
   * @throws {UserError} naming a state.json that is damaged.
   */
  constructor(
    readonly stageFolder: string,
    readonly keeping: Keeping,
    readonly warn: (step: number, sentence: string) => void,
    readonly before: () => void = () => {},
  ) {
    const folder = checkpointsFolder(stageFolder);
    writing(folder, () => Deno.mkdirSync(folder, { recursive: true }));
    removePartials(folder);
    this.saved = indexOf(stageFolder).at(-1)?.step ?? null;
  }

  /** Makes room for tensors of so many bytes, so that the first save takes no longer than the others. */
  reserve(bytes: Readonly<Partial<Record<Part, number>>>, device: Device): void {
    reserveSave(inOrder(bytes).map(([, size]) => size + HEADER), device);
  }

  /** Copies what there is now and lets it be written, after the save before has ended. A failure is told to `warn`. */
  async start(parts: Parts, state: RunState): Promise<void> {
    await this.finish();
    this.failure = null;
    const path = join(checkpointsFolder(this.stageFolder), nameOfStep(state.step));
    let folder: AtomicFolder | undefined;
    try {
      this.before();
      folder = new AtomicFolder(path);
      const entries = inOrder(parts);
      startSave(entries.map(([part, tensors]) => fileFor(join(folder!.temporary, fileOf(part)), tensors)));
      // The state goes on changing, the copy does not.
      this.#flight = { folder, state: structuredClone(state), parts: entries.map(([part]) => part) };
    } catch (error) {
      releaseSave();
      this.#fail(path, state.step, error, folder);
    }
  }

  /** Gives a save whose files are written its name. Never waits: call it once a step. */
  poll(): void {
    if (this.#flight !== null) this.#settle(this.#flight, false);
  }

  /** Waits for the save in flight and for what it replaces to be gone; signals get through meanwhile. */
  async finish(): Promise<void> {
    for (this.poll(); this.#flight !== null; this.poll()) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    await this.#removal;
  }

  /** Ends the save in flight, blocking, and frees the copies. */
  [Symbol.dispose](): void {
    if (this.#flight !== null) this.#settle(this.#flight, true);
    releaseSave();
  }

  #settle({ folder, state, parts }: Flight, wait: boolean): void {
    try {
      const digests = finishSave(wait);
      if (digests === null) return;
      const sha256 = Object.fromEntries(parts.map((part, i) => [part, digests[i]!])) as Checksums;
      writeState(folder.temporary, state, sha256);
      folder.commit();
    } catch (error) {
      this.#flight = null;
      return this.#fail(folder.path, state.step, error, folder);
    }
    this.#flight = null;
    this.saved = state.step;
    this.#tidy();
  }

  /** Brings checkpoints.json up to date and removes what is not to stay. */
  #tidy(): void {
    try {
      const all = indexOf(this.stageFolder);
      const stay = kept(all, this.keeping);
      writeIndex(this.stageFolder, stay);
      const gone = all.filter((entry) => !stay.includes(entry)).map(({ folder }) => this.#setAside(folder));
      this.#removal = Promise.all([this.#removal, ...gone.map((path) => remove(path))]).then(() => {});
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.warn(this.saved!, `Older checkpoints stay where they are: ${error.message}`);
    }
  }

  /** Takes a checkpoint out of sight at once: removing large files takes a while, and half a checkpoint is none. */
  #setAside(name: string): string {
    const path = join(checkpointsFolder(this.stageFolder), name);
    writing(path, () => Deno.renameSync(path, `${path}.partial`));
    return `${path}.partial`;
  }

  #fail(path: string, step: number, error: unknown, folder?: AtomicFolder): void {
    folder?.[Symbol.dispose]();
    const reason = fileError("write", path, error);
    if (!(reason instanceof UserError || reason instanceof TorchError)) throw reason;
    this.failure = new UserError(reason.message, { cause: error });
    const last = this.saved === null ? "there is none yet" : `the newest one is of step ${this.saved}`;
    const why = reason.message.replace(/, then run the same command again$/, ""); // nobody has to
    this.warn(step, `The checkpoint of step ${step} is not saved (${last}), training goes on: ${why}`);
  }
}

/** What there is of each part, always in the same order: the buffers of one save serve the next. */
function inOrder<T>(parts: Readonly<Partial<Record<Part, T>>>): [Part, T][] {
  return PARTS.flatMap((part) => parts[part] === undefined ? [] : [[part, parts[part]] as [Part, T]]);
}

function fileFor(path: string, entries: Entries): TensorFile {
  const infos = entries.map(([name, tensor]) => ({
    name,
    dtype: safetensorsDtype(tensor.dtype),
    shape: tensor.shape,
    tensor,
  }));
  const { header, tensors } = safetensorsLayout(infos, { format: "pt" });
  return { path, header, tensors: tensors.map(({ tensor }) => tensor) };
}

/** Nobody waits for it, and what stays is taken for rubbish by the next run. */
async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch {
    // left over: see removePartials
  }
}
