/** How far a download is: bytes, files, speed, time left. */

import { duration } from "../formats/duration.ts";

/** Milliseconds that the speed is taken over: longer than a pause between attempts, short enough to be of now. */
const WINDOW = 10_000;

export class Meter {
  #bytes = 0;
  #came = 0;
  #files = 0;
  /** `[milliseconds, bytes that have come until then]`, oldest first. */
  readonly #marks: [number, number][] = [];

  constructor(
    readonly totalBytes: number,
    readonly totalFiles: number,
    readonly now = () => performance.now(),
  ) {
    this.#marks.push([now(), 0]);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param came Whether the bytes came over the network; else they lay here already, or were thrown away. */
  moved(bytes: number, came: boolean): void {
    this.#bytes += bytes;
    if (!came) return;
    this.#came += bytes;
    const now = this.now();
    if (now - this.#marks.at(-1)![0] > 100) this.#marks.push([now, this.#came]);
    while (this.#marks.length > 1 && now - this.#marks[0]![0] > WINDOW) this.#marks.shift();
  }

  finished(): void {
    this.#files++;
  }

  /** `1.2 of 3.2 GB, 4 of 12 files, 35 MB/s, 57 s left` */
  line(): string {
    const [since, had] = this.#marks[0]!;
    const speed = (this.#came - had) / Math.max(1e-3, (this.now() - since) / 1000);
    const left = speed > 0 ? `, ${duration((this.totalBytes - this.#bytes) / speed)} left` : "";
    const files = this.totalFiles === 1 ? "" : `, ${this.#files} of ${this.totalFiles} files`;
    return `${size(this.#bytes)} of ${size(this.totalBytes)}${files}, ${size(speed)}/s${left}`;
  }
}

/** Bytes as `812 B`, `4.2 MB`, `31 GB`. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}
