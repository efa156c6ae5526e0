/** Where the labels of points go, so that they cover neither each other nor what is drawn. */

import type { Box } from "./plot.ts";
import { FONT, textWidth } from "./svg.ts";

/** A point that is to be labelled. */
export interface Labelled {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Where a label stands: the end of its baseline that is next to its point (or its middle), its box, and the line to its point where it stands apart. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly anchor: "start" | "middle" | "end";
  readonly box: Box;
  readonly leader: readonly [from: readonly [number, number], to: readonly [number, number]] | null;
}

/** Something drawn that a label should leave free; the weight says how badly. */
export interface Obstacle {
  readonly box: Box;
  readonly weight: number;
}

const DISTANCES = [7, 11, 16, 23, 32, 44, 60, 80];
const DIRECTIONS = 16;
/** Labels further away than this have a line to their point. */
const NEAR = 11;
const FORBIDDEN = 1e6;
/** Rounds in which each label may move, once the others stand. */
const ROUNDS = 3;

/**
 * A place inside of `plot` for each point's label, the same every time: crowded points choose first, then each moves to the best
 * place that the others leave, a few times.
 */
export function placeLabels(
  points: readonly Labelled[],
  plot: Box,
  obstacles: readonly Obstacle[],
): Placement[] {
  const crowd = points.map((point) =>
    points.reduce((sum, other) => sum + 1 / (20 + Math.hypot(point.x - other.x, point.y - other.y)), 0)
  );
  const widths = points.map(({ text }) => textWidth(text));
  const order = points.map((_, i) => i).sort((a, b) => crowd[b]! - crowd[a]! || a - b);
  const placed = new Map<number, Placement>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const i of order) {
      const others = [...placed].filter(([j]) => j !== i).map(([, placement]) => placement);
      placed.set(i, bestPlace(points[i]!, widths[i]!, plot, obstacles, others));
    }
  }
  return points.map((_, i) => placed.get(i)!);
}

function bestPlace(
  point: Labelled,
  width: number,
  plot: Box,
  obstacles: readonly Obstacle[],
  others: readonly Placement[],
): Placement {
  let best = { cost: Infinity, placement: candidate(point, width, DISTANCES[0]!, 0) };
  for (const distance of DISTANCES) {
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      const placement = candidate(point, width, distance, direction / DIRECTIONS * 2 * Math.PI);
      const cost = distance + costOf(placement, plot, obstacles, others);
      if (cost < best.cost) best = { cost, placement };
    }
  }
  return best.placement;
}

/** The label whose box is nearest to the point in this direction at this distance. */
function candidate({ x, y }: Labelled, width: number, distance: number, angle: number): Placement {
  const height = FONT + 3;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [nearX, nearY] = [x + cos * distance, y + sin * distance];
  const left = nearX - width * (1 - cos) / 2;
  const top = nearY - height * (1 - sin) / 2;
  const box = { left, top, right: left + width, bottom: top + height };
  const anchor = cos > 0.4 ? "start" : cos < -0.4 ? "end" : "middle";
  return {
    x: anchor === "start" ? left : anchor === "end" ? box.right : left + width / 2,
    y: top + FONT,
    anchor,
    box,
    leader: distance <= NEAR ? null : [[x + cos * 6, y + sin * 6], [
      Math.min(box.right, Math.max(box.left, nearX)),
      Math.min(box.bottom, Math.max(box.top, nearY)),
    ]],
  };
}

function costOf(
  { box, leader }: Placement,
  plot: Box,
  obstacles: readonly Obstacle[],
  others: readonly Placement[],
): number {
  const isOutside = box.left < plot.left || box.right > plot.right || box.top < plot.top ||
    box.bottom > plot.bottom;
  let cost = isOutside ? FORBIDDEN : 0;
  for (const other of others) {
    if (overlap(box, other.box, 3)) cost += FORBIDDEN;
    if (leader !== null && crosses(leader, other.box)) cost += 300;
    if (other.leader !== null && crosses(other.leader, box)) cost += 300;
  }
  for (const obstacle of obstacles) {
    if (overlap(box, obstacle.box, 1)) cost += obstacle.weight;
    else if (leader !== null && crosses(leader, obstacle.box)) cost += obstacle.weight / 10;
  }
  return cost;
}

function overlap(a: Box, b: Box, gap: number): boolean {
  return a.left < b.right + gap && b.left < a.right + gap && a.top < b.bottom + gap && b.top < a.bottom + gap;
}

/** Whether the line runs through the box (Liang and Barsky 1984): some stretch of it lies between all four sides. */
function crosses([[x1, y1], [x2, y2]]: NonNullable<Placement["leader"]>, box: Box): boolean {
  let [from, to] = [0, 1];
  for (
    const [step, room] of [
      [x1 - x2, x1 - box.left],
      [x2 - x1, box.right - x1],
      [y1 - y2, y1 - box.top],
      [y2 - y1, box.bottom - y1],
    ] as const
  ) {
    if (step === 0 && room <= 0) return false;
    if (step < 0) from = Math.max(from, room / step);
    if (step > 0) to = Math.min(to, room / step);
  }
  return from < to;
}
