/** Which mark a pointer means. */

import { symbolSpot } from "./labels";
import type { Mark } from "./marks";

const REACH_PX = 16;

/** Return the mark whose symbol is nearest to a screen point within reach; of two alike, the upper one. */
export function nearestMark(marks: readonly Mark[], project: (mark: Mark) => { x: number; y: number }, x: number, y: number, scale: number): Mark | null {
  let best: Mark | null = null;
  let bestDistance = REACH_PX;
  for (const mark of marks) {
    const spot = symbolSpot(mark, project(mark), scale);
    const distance = Math.hypot(spot.x - x, spot.y - y);
    if (distance <= bestDistance) [best, bestDistance] = [mark, distance];
  }
  return best;
}
