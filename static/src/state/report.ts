/** What is shown, as plain JSON: for browser tests and for people who report a fault. */

import { openCalls } from "./calls";
import { featuresOf } from "./features";
import { liveness, serverNow } from "./freshness";
import type { State } from "./model";
import { listUnits, unitFreshness } from "./units";

function unitsReport(state: State, now: number): Record<string, object> {
  return Object.fromEntries(
    listUnits(state).map((unit) => [
      unit.id,
      {
        unit: unit.callSign,
        agency: unit.agency,
        lon: unit.place[0],
        lat: unit.place[1],
        status: unit.status?.code ?? null,
        age_ms: now - unit.observedAt,
        observed_at: unit.observedAt,
        freshness: unitFreshness(unit, now),
        origin: unit.origin,
      },
    ]),
  );
}

function callsReport(state: State): Record<string, object> {
  return Object.fromEntries(
    openCalls(state).map(({ number, id, agency, state: phase, type, rank, place, units }) => [
      number,
      { id, agency, state: phase, type, rank, lon: place?.[0] ?? null, lat: place?.[1] ?? null, unlocated: place === null, units },
    ]),
  );
}

function namesReport(state: State, layer: string): Record<string, object> {
  return Object.fromEntries(featuresOf(state.features, layer).map(({ agency, feature }) => [feature.id, { agency, name: feature.properties.name ?? null }]));
}

export function report(state: State, isRendered: boolean): object {
  const now = serverNow(state);
  return {
    now,
    link: { phase: state.link.phase, liveness: liveness(state.link, state.real), reconnects: state.link.reconnects, heartbeat_at: state.link.heartbeatServer },
    locked: state.desk.isLocked,
    instance: state.hello?.instance ?? null,
    agencies: state.hello?.agencies.map((agency) => agency.slug) ?? [],
    units: unitsReport(state, now),
    calls: callsReport(state),
    fences: namesReport(state, "fences"),
    boundaries: namesReport(state, "boundaries"),
    counts: state.counts,
    unlocated: state.unlocated,
    feeds: state.feeds,
    hidden: [...state.hidden],
    opacity: state.opacity,
    found: state.found,
    selection: state.selection,
    following: state.isFollowing,
    rendered: isRendered,
  };
}
