/**
 * What a training takes in joules, where the machine shows it: all that its processors and GPU take meanwhile, so what
 * else runs there counts too.
 */
import { type Counter, cpuEnergy, type Device, gpuEnergy } from "../torch/mod.ts";

/** As train.json and state.json have it. */
export interface Energy {
  readonly joules: number;
  /** What was measured, for a reader. */
  readonly source: string;
  /** Optimizer steps that were taken meanwhile: fewer than the training's where it began on a machine that shows nothing. */
  readonly steps: number;
}

/** The counters of a machine, in one order; a part of them only where `source` says so. */
export interface Meters {
  readonly source: string;
  read(): readonly Counter[];
}

/** The meters that this machine shows; null where it shows none. */
export function metersOf(device: Device): Meters | null {
  const gpu = device === "cpu" ? null : gpuEnergy(device);
  const hasPackages = cpuEnergy().length > 0;
  const sources = [
    ...(hasPackages ? ["CPU packages (RAPL)"] : []),
    ...(gpu === null ? [] : ["GPU (NVML)"]),
  ];
  // Without the GPU, which takes most of it, the figure would mislead.
  if (sources.length === 0 || (device !== "cpu" && gpu === null)) return null;
  return {
    source: sources.join(" and "),
    read: () => [...cpuEnergy(), ...(gpu === null ? [] : [gpuEnergy(device)!])],
  };
}

/** Adds up over the laps of a training, and over its attempts. A lap has to be shorter than a counter takes to begin anew, some minutes. */
export class EnergyMeter {
  #joules: number;
  #steps: number;
  #last: readonly Counter[];

  /** Begins at step `from`, behind what an earlier attempt took. What it did after its last save is in neither. */
  constructor(readonly meters: Meters, readonly from: number, before?: Energy) {
    const goesOn = before?.source === meters.source;
    this.#joules = goesOn ? before.joules : 0;
    this.#steps = goesOn ? before.steps : 0;
    this.#last = meters.read();
  }

  lap(): void {
    const now = this.meters.read();
    for (const [i, counter] of now.entries()) {
      const taken = counter.joules - this.#last[i]!.joules;
      this.#joules += taken < 0 ? taken + counter.range : taken;
    }
    this.#last = now;
  }

  /** All up to now, at step `step`. */
  total(step: number): Energy {
    this.lap();
    return { joules: this.#joules, source: this.meters.source, steps: this.#steps + step - this.from };
  }
}

/** Says beside the source where it is not the whole training's. */
export function inFull(energy: Energy, steps: number): Energy {
  const { source, steps: measured } = energy;
  return measured === steps ? energy : { ...energy, source: `${source}, ${measured} of ${steps} steps` };
}
