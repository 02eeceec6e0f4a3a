/** Units as the boards, the card and the map read them. */

import type { Agency, StatusDefinition } from "../feed/messages";
import type { LngLat } from "../geometry/circle";
import type { Call } from "./calls";
import { type DrawnUnit, drawnUnits } from "./fleet";
import { type Freshness, freshness } from "./freshness";
import type { Fleet, State } from "./model";

export const MEANINGS = [
  "emergency", "on_scene", "en_route", "dispatched", "transporting", "busy", "available", "out_of_service", "off_duty",
] as const;
export type Meaning = (typeof MEANINGS)[number] | "unknown";

export interface Unit {
  readonly id: number;
  readonly handle: number;
  readonly agency: number;
  readonly callSign: string;
  readonly name: string;
  readonly kind: string;
  readonly origin: string;
  readonly source: string;
  readonly intervalS: number | null;
  readonly place: LngLat;
  readonly headingDeg: number | null;
  readonly speedMps: number | null;
  readonly observedAt: number;
  readonly status: StatusDefinition | null;
  readonly meaning: Meaning;
  readonly statusSince: number;
  readonly isSinceExact: boolean;
  readonly isClockOff: boolean;
}

export function agencyOf(state: Pick<State, "hello">, id: number): Agency | null {
  return state.hello?.agencies.find((agency) => agency.id === id) ?? null;
}

/** Return the agency's time zone, UTC while it has set none: an empty name would stop every clock of the page. */
export const zoneOf = (state: Pick<State, "hello">, agency: number | undefined): string => (agency === undefined ? null : agencyOf(state, agency))?.time_zone || "UTC";

const STATUSES = new WeakMap<Agency, Map<number, StatusDefinition>>();

function statusOf(agency: Agency | null, number: number): StatusDefinition | null {
  if (!agency) return null;
  const known = STATUSES.get(agency) ?? new Map(agency.statuses.map((status) => [status.number, status]));
  STATUSES.set(agency, known);
  return known.get(number) ?? null;
}

/** Where a meaning stands on the board, 0 first; what is unknown comes last. */
const PLACES: Readonly<Record<Meaning, number>> = Object.fromEntries([...MEANINGS, "unknown" as const].map((meaning, place) => [meaning, place])) as Record<Meaning, number>;
export const boardPlace = (unit: Unit): number => PLACES[unit.meaning];

const isMeaning = (word: string): word is (typeof MEANINGS)[number] => (MEANINGS as readonly string[]).includes(word);

function readUnit({ who, at }: DrawnUnit, agency: Agency | null): Unit {
  const status = statusOf(agency, at.status);
  const meaning = status && isMeaning(status.meaning) ? status.meaning : "unknown";
  return {
    id: who.id,
    handle: who.handle,
    agency: who.agency,
    callSign: who.unit ?? who.name ?? `#${who.id}`,
    name: who.name ?? "",
    kind: who.kind ?? "",
    origin: who.origin,
    source: who.source ?? "",
    intervalS: who.interval_s,
    place: [at.lon, at.lat],
    headingDeg: at.headingDeg,
    speedMps: at.speedMps,
    observedAt: at.observedAt,
    status,
    meaning,
    statusSince: at.statusSince,
    isSinceExact: at.isSinceExact,
    isClockOff: at.isClockOff,
  };
}

const LISTED = new WeakMap<Fleet, Unit[]>();

/** Return the units on the map, one entry a call sign. The list of one fleet is made once. */
export function listUnits(state: Pick<State, "fleet" | "hello">): Unit[] {
  const known = LISTED.get(state.fleet);
  if (known) return known;
  const units = drawnUnits(state.fleet).map((drawn) => readUnit(drawn, agencyOf(state, drawn.who.agency)));
  LISTED.set(state.fleet, units);
  return units;
}

export function unitFreshness(unit: Unit, now: number): Freshness {
  return freshness(now - unit.observedAt, unit.intervalS);
}

const NATURAL = new Intl.Collator("en-US", { numeric: true });

/** Emergencies first, then by what the unit is doing, then by call sign. */
export function unitsBoard(units: readonly Unit[]): Unit[] {
  return [...units].sort((a, b) => boardPlace(a) - boardPlace(b) || NATURAL.compare(a.callSign, b.callSign) || a.id - b.id);
}

/** Return the call that each call sign of an agency is on, keyed `agency:call sign`. */
export function callsByUnit(calls: readonly Call[]): Map<string, Call> {
  const found = new Map<string, Call>();
  for (const call of calls) for (const unit of call.units) found.set(`${call.agency}:${unit}`, call);
  return found;
}

/** Return how many units the viewer's agencies have, on the map or not; null before the first heartbeat. */
export function countedUnits(state: Pick<State, "counts">): number | null {
  const counts = state.counts.units;
  return counts ? Object.values(counts).reduce((sum, count) => sum + count, 0) : null;
}
