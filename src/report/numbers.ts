/** Numbers as the page prints them: the same on every machine, whatever its locale. Units do not part from them. */

import { duration as plainDuration } from "../formats/duration.ts";

/** No-break space. */
const NBSP = "\u00a0";

/** A whole number with commas between thousands: `1,048,576`. */
export function count(n: number): string {
  return grouped(n.toFixed(0));
}

/** A number with this many decimals, with commas between thousands. */
export function decimal(n: number, digits: number): string {
  return grouped(n.toFixed(digits));
}

function grouped(digits: string): string {
  return digits.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
}

/** A share as a percentage: `0.713` is `71.3 %`. */
export function percent(share: number): string {
  return `${decimal(share * 100, 1)}${NBSP}%`;
}

/** Bytes in powers of 1000 as files are counted: `4.00 MB`. */
export function size(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const unit = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${decimal(bytes / 1000 ** unit, unit === 0 ? 0 : 2)}${NBSP}${units[unit]}`;
}

/** Seconds for a reader: `0.84 s`, `42 s`, `1 min 05 s`, `2 h 07 min`. */
export function duration(seconds: number): string {
  return plainDuration(seconds).replaceAll(" ", NBSP);
}

/** `1 prompt`, `16 prompts`. */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}
