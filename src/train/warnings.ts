/**
 * Warnings that teach: what the lines of metrics.jsonl show to be wrong, and what to try. Each is said once. They follow
 * from the lines alone, so that a resumed run, which sees its earlier lines again, says nothing twice.
 */
import type { MetricsLine, StepLine, ValidationLine, WarningLine } from "./metrics.ts";

/** What the lines do not say. */
export interface Circumstances {
  /** V. */
  readonly vocab: number;
  /** Steps of the run, and of its warm-up. */
  readonly steps: number;
  readonly warmup: number;
  /** Largest norm of the gradients; 0: no clipping. */
  readonly clip: number;
}

/** What has been seen up to now; the newest line of each kind is the last. */
interface History {
  readonly steps: readonly StepLine[];
  readonly validations: readonly ValidationLine[];
}

/** A name for programs and a message for people. */
type Finding = Pick<WarningLine, "name" | "message">;

/** A rule looks at the newest line, which is of the kind that it is asked about. */
type Rule = (history: History, run: Circumstances) => Finding[];

/** Lines that are looked back at. */
const BACK = 20;
/** Lines that are remembered. */
const MEMORY = 256;
/** Fewer lines than this show no custom to depart from. */
const ENOUGH = 8;

/** Watches a run line by line. */
export class Watcher {
  readonly #steps: StepLine[] = [];
  readonly #validations: ValidationLine[] = [];
  readonly #said = new Set<string>();

  constructor(readonly run: Circumstances) {}

  /** Takes a line and says what it shows, as lines of the same step. */
  see(line: MetricsLine): WarningLine[] {
    if (line.kind === "warning") return [];
    if (line.kind === "step") this.#steps.push(line);
    else this.#validations.push(line);
    if (this.#steps.length > MEMORY) this.#steps.shift();
    const history = { steps: this.#steps, validations: this.#validations };
    return RULES[line.kind].flatMap((rule) => rule(history, this.run))
      .filter(({ name }) => !this.#said.has(name) && this.#said.add(name))
      .map((finding) => ({ kind: "warning", step: line.step, ...finding }));
  }
}

/** A learning rate that rises to the end never anneals. */
const neverWarm: Rule = (_, { warmup, steps }) => {
  if (warmup < steps) return [];
  return [{
    name: "warmup",
    message: `The learning rate still warms up at the end: warmup is ${warmup} of ${steps} steps. ` +
      `It is meant for the first few percent; lower train.warmup, or train for longer`,
  }];
};

/** A loss far above its custom: of the median's neighbourhood, as wide as the lines usually scatter. */
const lossSpike: Rule = ({ steps }) => {
  const newest = steps.at(-1)!;
  return newest.heads.flatMap((loss, head) => {
    const before = awakeLines(steps, head).slice(-BACK - 1, -1).map((line) => line.heads[head]!);
    if (loss === null || before.length < ENOUGH) return [];
    const usual = median(before);
    const scatter = 1.4826 * median(before.map((value) => Math.abs(value - usual)));
    if (loss < usual + Math.max(8 * scatter, 0.1 * usual, 0.2)) return [];
    return [{
      name: "loss_spike",
      message:
        `The loss of head ${head + 1} jumped to ${loss.toFixed(3)} nats at step ${newest.step}, from about ` +
        `${
          usual.toFixed(3)
        }. If it does not come back: lower train.lr or train.clip, or lengthen train.warmup; ` +
        `if it comes back each epoch, look at the text around that place`,
    }];
  });
};

/** A head that is trained and learns nothing. */
const deadHead: Rule = ({ steps }, { vocab, warmup }) => {
  const newest = steps.at(-1)!;
  const guess = Math.log(vocab);
  return newest.heads.flatMap((loss, head) => {
    const lines = awakeLines(steps, head).filter(({ step }) => step > warmup);
    if (loss === null || lines.length < 2 * ENOUGH || newest.step - lines[0]!.step < 100) return [];
    const losses = lines.map((line) => line.heads[head]!);
    const guesses = Math.min(...losses.slice(-2 * ENOUGH)) > 0.98 * guess;
    const isStill = Math.max(...losses) - Math.min(...losses) < 1e-4 * guess && loss > 0.1 * guess;
    if (!guesses && !isStill) return [];
    const what = guesses
      ? `no better than a guess among ${vocab} tokens (ln ${vocab} = ${guess.toFixed(3)} nats)`
      : `which does not move at all`;
    return [{
      name: `dead_head_${head + 1}`,
      message:
        `Head ${head + 1} does not learn: awake since step ${
          lines[0]!.step
        } at the latest, its loss at step ` +
        `${newest.step} is ${loss.toFixed(3)} nats, ${what}. Raise its weight or train.lr, ` +
        `or leave it out: it costs time in every step`,
    }];
  });
};

/** Where each step is clipped, the learning rate is not the one that was set. */
const alwaysClipped: Rule = ({ steps }, { warmup, clip }) => {
  const lines = steps.filter(({ step }) => step > warmup).slice(-BACK);
  if (lines.length < BACK || lines.some(({ clipped }) => clipped < 1)) return [];
  const { step } = lines.at(-1)!;
  const usual = median(lines.map(({ grad_norm }) => grad_norm));
  return [{
    name: "clipping",
    message: `Every step from ${lines[0]!.step} to ${step} was clipped: the gradients' norm is about ` +
      `${
        usual.toPrecision(2)
      }, train.clip is ${clip}. Only their direction counts then. Raise train.clip above the ` +
      `usual norm; with several heads train.loss: mean makes the norm smaller, too`,
  }];
};

/** Held-out text gets worse while the training text gets better. */
const overfit: Rule = ({ steps, validations }) => {
  const newest = validations.at(-1)!;
  const held = newest.heads[0]!.loss;
  const trained = steps.slice(-10).flatMap(({ heads }) => heads[0] ?? []);
  if (validations.length < 3 || trained.length === 0) return [];
  const best = validations.reduce((a, b) => a.bits_per_byte <= b.bits_per_byte ? a : b);
  const seen = trained.reduce((sum, loss) => sum + loss, 0) / trained.length;
  if (newest.bits_per_byte < 1.01 * best.bits_per_byte || held < 1.2 * seen) return [];
  return [{
    name: "overfit",
    message:
      `The model learns its text by heart: at step ${newest.step} head 1 has ${
        held.toFixed(3)
      } nats on held-out ` +
      `text and ${
        seen.toFixed(3)
      } on what it trains on, and held-out text was better at step ${best.step}. ` +
      `Take fewer steps, more text, more weight decay or a smaller model; with train.keep_best the best one is kept`,
  }];
};

/** The same work takes much longer than it did. */
const slower: Rule = ({ steps }) => {
  const newest = steps.at(-1)!;
  const alike = steps.filter(({ weights }) => String(weights) === String(newest.weights));
  const [before, last] = [alike.slice(-BACK - 3, -3), alike.slice(-3)];
  if (before.length < ENOUGH) return [];
  const usual = median(before.map((line) => line.tokens_per_s));
  const now = Math.max(...last.map((line) => line.tokens_per_s));
  if (now > 0.5 * usual) return [];
  return [{
    name: "throughput",
    message: `Training slowed down at step ${last[0]!.step}: ${Math.round(now)} tokens/s where it was ` +
      `${
        Math.round(usual)
      } with the same heads. Another process, heat or a lack of memory (swapping) may be the ` +
      `reason; look at the machine's load`,
  }];
};

const RULES: Record<"step" | "validation", readonly Rule[]> = {
  step: [neverWarm, lossSpike, deadHead, alwaysClipped, slower],
  validation: [overfit],
};

/** The newest lines in which a head was awake without a break. */
function awakeLines(steps: readonly StepLine[], head: number): StepLine[] {
  const asleep = steps.findLastIndex(({ heads }) => heads[head] === null);
  return steps.slice(asleep + 1);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
