/** The live table below the log: what has ended, what is at work and how far, what comes next, and the time it takes. */

import { duration } from "../formats/duration.ts";
import type { Progress } from "./schedule.ts";

/** One stage of the table. */
export interface Row {
  readonly id: string;
  readonly kind: string;
  readonly progress: Progress;
  /** Of the attempt so far, or in all; undefined for one that was not started. */
  readonly seconds?: number | undefined;
  /** Its latest progress line, or why it failed. */
  readonly note?: string | undefined;
}

/** What the whole run is told by. */
export interface Heading {
  readonly name: string;
  /** Since this command began. */
  readonly seconds: number;
  /** That are left, as far as can be told. */
  readonly left: number | undefined;
}

const MARKS: Record<Progress, string> = {
  waiting: "·",
  running: ">",
  done: "+",
  skipped: "=",
  stopped: "/",
  failed: "x",
  blocked: "-",
};

/** Rows of each kind that are shown at most, so that the table is no taller than a terminal. */
const FAILED = 4;
const RUNNING = 8;
const NEXT = 3;

/** The lines of the table; longer ones are for the terminal to cut. */
export function boardLines({ name, seconds, left }: Heading, rows: readonly Row[]): string[] {
  const of = (progress: Progress) => rows.filter((row) => row.progress === progress);
  const [failed, stopped, running, waiting] = [of("failed"), of("stopped"), of("running"), of("waiting")];
  const ended = of("done").length + of("skipped").length;
  const time = left === undefined ? "" : `, about ${roundly(left)} left`;
  const counts = [
    `${ended} of ${rows.length} done`,
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(of("blocked").length > 0 ? [`${of("blocked").length} cannot run for that`] : []),
  ];
  const active = [...stopped, ...running];
  const now = [...failed.slice(-FAILED), ...active.slice(0, RUNNING)];
  const next = waiting.slice(0, NEXT);
  const width = Math.max(0, ...[...now, ...next].map((row) => titleOf(row).length));
  const more = (mark: string, hidden: number) => hidden > 0 ? [`  ${mark} and ${hidden} more`] : [];
  return [
    `${name}: ${counts.join(", ")}, ${duration(seconds)}${time}`,
    ...now.map((row) => lineOf(row, width)),
    ...more(MARKS.running, active.length - RUNNING),
    ...next.map((row) => lineOf(row, width)),
    ...more(MARKS.waiting, waiting.length - NEXT),
  ];
}

const titleOf = ({ id, kind }: Row): string => `${id} (${kind})`;

function lineOf(row: Row, width: number): string {
  const time = row.seconds === undefined ? "" : duration(row.seconds).padStart(11);
  return `  ${MARKS[row.progress]} ${titleOf(row).padEnd(width)} ${time}  ${row.note ?? ""}`.trimEnd();
}

/** An estimate in whole minutes, or seconds where it is short. */
export function roundly(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = seconds / 3600;
  return hours < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} days`;
}
