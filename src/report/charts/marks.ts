/** Marks of points: each style has a shape of its own, so that they stay apart without colour. */

import { type Markup, markup } from "../markup.ts";
import { px, STYLES } from "./svg.ts";

/** Corners of each shape in units of its radius; null: a circle. Areas are about equal. */
const SHAPES: readonly (readonly (readonly [x: number, y: number])[] | null)[] = [
  null,
  [[-0.88, -0.88], [0.88, -0.88], [0.88, 0.88], [-0.88, 0.88]],
  [[0, -1.25], [1.15, 0.8], [-1.15, 0.8]],
  [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  [[0, 1.25], [1.15, -0.8], [-1.15, -0.8]],
  cross(0),
  cross(Math.PI / 4),
  star(),
];

/** A mark of this style around a point; `className` says how it is filled. */
export function mark(style: number, x: number, y: number, radius: number, className: string): Markup {
  const corners = SHAPES[style % STYLES]!;
  if (corners === null) {
    return markup`<circle class="${className}" cx="${px(x)}" cy="${px(y)}" r="${px(radius)}"/>`;
  }
  const path = corners.map(([cx, cy]) => `${px(x + cx * radius)} ${px(y + cy * radius)}`).join("L");
  return markup`<path class="${className}" d="M${path}Z"/>`;
}

function cross(turn: number): [number, number][] {
  const quarter: [number, number][] = [[0.42, -1.25], [0.42, -0.42], [1.25, -0.42]];
  return [0, 1, 2, 3].flatMap((i) => quarter.map(([x, y]) => rotated(x, y, turn + i * Math.PI / 2)));
}

function star(): [number, number][] {
  return Array.from({ length: 10 }, (_, i) => rotated(0, i % 2 === 0 ? -1.4 : -0.62, i * Math.PI / 5));
}

function rotated(x: number, y: number, angle: number): [number, number] {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  return [x * cos - y * sin, x * sin + y * cos];
}
