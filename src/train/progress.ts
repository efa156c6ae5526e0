/** The progress line: all of it where there is room, else what matters most. */
import { duration } from "../formats/duration.ts";
import type { StepLine } from "./metrics.ts";

/** What the line says besides the step's figures. */
export interface Outlook {
  /** Steps of the whole run. */
  readonly steps: number;
  /** Seconds that are left. */
  readonly left: number;
}

/** A piece of the line; where room is scarce, those with the largest rank go first. */
interface Piece {
  readonly text: string;
  readonly rank: number;
}

const GAP = "  ";

/** The line in so many columns, as far as its first piece allows. */
export function progressLine(line: StepLine, { steps, left }: Outlook, columns: number): string {
  const several = line.heads.length > 1;
  const pieces: Piece[] = [
    { text: `step ${line.step}/${steps}`, rank: 0 },
    { text: `loss ${line.loss.toFixed(3)}`, rank: several ? 5 : 1 },
    { text: several ? headsInWords(line) : "", rank: 2 },
    { text: `lr ${line.lr.toExponential(1)}`, rank: 6 },
    { text: `${Math.round(line.tokens_per_s).toLocaleString("en")} tokens/s`, rank: 4 },
    { text: line.mfu === null ? "" : `MFU ${(100 * line.mfu).toFixed(0)}%`, rank: 7 },
    { text: `${(line.memory_bytes / 1e9).toFixed(1)} GB`, rank: 8 },
    { text: `${timeLeft(left)} left`, rank: 3 },
  ];
  const shown = pieces.filter(({ text }) => text !== "");
  while (shown.length > 1 && joined(shown).length > columns) {
    shown.splice(shown.findIndex(({ rank }) => rank === Math.max(...shown.map((piece) => piece.rank))), 1);
  }
  return joined(shown);
}

/** Whole seconds: an estimate has no decimals. */
const timeLeft = (seconds: number): string =>
  seconds < 10 ? `${Math.max(0, Math.ceil(seconds))} s` : duration(seconds);

const joined = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join(GAP);

/** `heads 1.84 2.41 – –, 2 of 4 awake`: nats by head. */
function headsInWords({ heads, active_heads }: StepLine): string {
  const losses = heads.map((nll) => nll === null ? "–" : nll.toFixed(2)).join(" ");
  return active_heads === heads.length ? `heads ${losses}` : `heads ${losses}, ${active_heads} awake`;
}
