/** The area that all of what a viewer may see lies in. */

import type { BoundingBox } from "../geometry/tiles";
import { openCalls } from "./calls";
import type { State } from "./model";
import { listUnits } from "./units";

/** Return the smallest box around boxes; null around none. */
function around(boxes: readonly BoundingBox[]): BoundingBox | null {
  if (boxes.length === 0) return null;
  const side = (at: 0 | 1 | 2 | 3, pick: (...values: number[]) => number): number => pick(...boxes.map((box) => box[at]));
  return [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)];
}

/** Return the agencies' areas as one box; without any, the box around the calls and units that are there; else null. */
export function wholeArea(state: Pick<State, "hello" | "features" | "fleet">): BoundingBox | null {
  const told = (state.hello?.agencies ?? []).flatMap((agency) => (agency.extent ? [agency.extent] : []));
  const places = told.length > 0 ? [] : [...openCalls(state), ...listUnits(state)].flatMap(({ place }) => (place ? [place] : []));
  return around(told.length > 0 ? told : places.map(([lon, lat]) => [lon, lat, lon, lat] as const));
}
