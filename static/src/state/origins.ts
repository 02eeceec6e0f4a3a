/** Which origins are on the page: what is not live must say so. */

import type { Origin } from "../feed/messages";
import { openCalls } from "./calls";
import type { Introduced, State } from "./model";

/** The plainest denial first. */
const ORDER: readonly string[] = ["simulated", "exercise", "replayed"];
const OF_UNITS = new WeakMap<ReadonlyMap<number, Introduced>, ReadonlySet<string>>();

function ofUnits(introduced: ReadonlyMap<number, Introduced>): ReadonlySet<string> {
  const known = OF_UNITS.get(introduced) ?? new Set([...introduced.values()].map((unit) => unit.origin));
  OF_UNITS.set(introduced, known);
  return known;
}

/** Return the origins other than live of feeds, units and calls. Before any of them came, those that a demonstration may have;
 * an operational instance is for live data, and what is an exercise says so when it comes. */
export function unrealOrigins(state: Pick<State, "hello" | "feeds" | "fleet" | "features">): Origin[] {
  const present = new Set<string>([...state.feeds.map((feed) => feed.origin), ...ofUnits(state.fleet.introduced), ...openCalls(state).map((call) => call.origin)]);
  present.delete("");
  const { instance } = state.hello ?? {};
  const told = present.size === 0 && instance?.kind === "demo" ? new Set<string>(instance.origins) : present;
  return ORDER.filter((origin) => told.has(origin)) as Origin[];
}
