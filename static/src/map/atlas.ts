/** Which symbols the present agencies and calls need. */

import { callLetter, rankClass } from "../palette";
import { openCalls } from "../state/calls";
import type { State } from "../state/model";
import { type Atlas, drawAtlas } from "./symbols";

/** Return a key that changes when the picture must be drawn anew, and how to draw it. */
export function callsAndStatuses(state: State): { key: string; draw: () => Atlas } {
  const agencies = state.hello?.agencies ?? [];
  const statuses = agencies.flatMap((agency) => agency.statuses);
  const told = agencies.flatMap((agency) => agency.priorities.map(({ code, rank }) => ({ code, rank })));
  const seen = openCalls(state).map(({ priority, rank }) => ({ code: priority, rank }));
  const priorities = [...told, ...seen].map(({ code, rank }) => ({ letter: callLetter(code, rank), rank }));
  const marks = new Set([...statuses.map(({ meaning, letter }) => `${meaning}:${letter}`), ...priorities.map(({ letter, rank }) => `${letter}:${rankClass(rank)}`)]);
  return { key: [...marks].sort().join(), draw: () => drawAtlas(statuses, priorities) };
}
