/** Where an axis has its ticks, and what they say. */

/** Ticks in increasing order; `labels` has one label for each, no two alike. */
export interface Ticks {
  readonly values: readonly number[];
  readonly labels: readonly string[];
}

/** A step of 1, 2 or 5 times a power of ten: `mantissa * 10 ** exponent`. */
interface Step {
  readonly mantissa: 1 | 2 | 5;
  readonly exponent: number;
}

/**
 * About `wanted` ticks from `low` to `high`, at multiples of 1, 2 or 5 times a power of ten.
 *
 * @throws {RangeError} when the range is empty, not finite, or too narrow for its magnitude to be told apart
 */
export function linearTicks(low: number, high: number, wanted: number): Ticks {
  const step = roundStep(low, high, wanted);
  return multiples(
    Math.ceil(inSteps(low, step) - ALLOWANCE),
    Math.floor(inSteps(high, step) + ALLOWANCE),
    step,
  );
}

/** The same ticks, and one more at each end that is not on a tick: an axis that begins and ends with one. */
export function enclosingTicks(low: number, high: number, wanted: number): Ticks {
  const step = roundStep(low, high, wanted);
  return multiples(
    Math.floor(inSteps(low, step) + ALLOWANCE),
    Math.ceil(inSteps(high, step) - ALLOWANCE),
    step,
  );
}

/** Share of a step that forgives the rounding of a division, so that an end on a multiple is a tick. */
const ALLOWANCE = 1e-6;

function inSteps(value: number, step: Step): number {
  return value / (step.mantissa * 10 ** step.exponent);
}

function multiples(first: number, last: number, step: Step): Ticks {
  const values = Array.from({ length: last - first + 1 }, (_, i) => multiple(first + i, step));
  return { values, labels: tickLabels(values, step.exponent) };
}

function roundStep(low: number, high: number, wanted: number): Step {
  const magnitude = Math.max(Math.abs(low), Math.abs(high));
  if (!(high - low > magnitude * 1e-9) || !Number.isFinite(high - low)) {
    throw new RangeError(`Cannot place ticks from ${low} to ${high}`);
  }
  const ideal = (high - low) / wanted;
  const exponent = Math.floor(Math.log10(ideal));
  const lead = ideal / 10 ** exponent;
  if (lead >= 7.1) return { mantissa: 1, exponent: exponent + 1 };
  return { mantissa: lead >= 3.2 ? 5 : lead >= 1.4 ? 2 : 1, exponent };
}

/** Read from its decimal form, so that 3 steps of 0.1 are 0.3. */
function multiple(times: number, step: Step): number {
  return Number(`${times * step.mantissa}e${step.exponent}`);
}

/** One unit for all (`k`, `M`, ...) and as many decimals as the step has: labels stay apart. */
function tickLabels(values: readonly number[], exponent: number): string[] {
  const largest = Math.max(...values.map(Math.abs));
  if (largest >= 1e15 || largest < 1e-3) {
    return values.map((value) => value === 0 ? "0" : `${Math.round(value / 10 ** exponent)}e${exponent}`);
  }
  const [scale, unit] = largest >= 1e12
    ? [12, "T"] as const
    : largest >= 1e9
    ? [9, "G"] as const
    : largest >= 1e6
    ? [6, "M"] as const
    : largest >= 1e4
    ? [3, "k"] as const
    : [0, ""] as const;
  const decimals = Math.max(0, scale - exponent);
  return values.map((value) => value === 0 ? "0" : `${(value / 10 ** scale).toFixed(decimals)}${unit}`);
}

/**
 * Ticks of a logarithmic axis: 1, 2 and 5 of each power of ten, fewer over many powers; a range with less than
 * two of them has the ticks of a linear axis.
 *
 * @throws {RangeError} when `low` is not above 0, or as {@link linearTicks}
 */
export function logTicks(low: number, high: number): Ticks {
  if (!(low > 0)) throw new RangeError(`Cannot place logarithmic ticks from ${low}`);
  const from = Math.floor(Math.log10(low));
  const to = Math.ceil(Math.log10(high));
  const leads = to - from <= 3 ? [1, 2, 5] : [1];
  const stride = Math.ceil((to - from) / 8);
  const values: number[] = [];
  for (let exponent = from; exponent <= to; exponent += stride) {
    for (const lead of leads) values.push(Number(`${lead}e${exponent}`));
  }
  const shown = values.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  if (shown.length < 2) return linearTicks(low, high, 4);
  return { values: shown, labels: shown.map(powerLabel) };
}

function powerLabel(value: number): string {
  if (value >= 1e15 || value < 1e-3) return value.toExponential().replace("+", "");
  const exponent = Math.floor(Math.log10(value) + 1e-9);
  return tickLabels([value], exponent)[0]!;
}
