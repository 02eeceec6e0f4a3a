/** Calls as the boards, the card and the map read them. */

import type { Feature } from "../feed/messages";
import type { LngLat } from "../geometry/circle";
import { featuresOf, type OwnedFeature } from "./features";
import type { State } from "./model";

export interface Tag {
  readonly kind: string;
  readonly code: string;
  readonly name: string;
}

export interface Call {
  readonly id: number;
  readonly agency: number;
  readonly number: string;
  readonly type: string;
  readonly priority: string;
  readonly rank: number;
  readonly state: string;
  readonly openedAt: number | null;
  readonly observedAt: number | null;
  readonly place: LngLat | null;
  readonly uncertaintyM: number | null;
  readonly address: string;
  readonly crossStreets: string;
  readonly units: readonly string[];
  readonly boundaries: readonly Tag[];
  readonly narrative: string;
  readonly origin: string;
  readonly source: string;
}

/** Stands after every rank that an agency has. */
export const UNRANKED = 99;

const text = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
const size = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
const list = <T>(value: unknown): readonly T[] => (Array.isArray(value) ? (value as T[]) : []);

export function readMoment(value: unknown): number | null {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

function placeOf(feature: Feature): LngLat | null {
  const { geometry, properties } = feature;
  if (geometry?.type !== "Point" || properties.unlocated === true) return null;
  return [geometry.coordinates[0] as number, geometry.coordinates[1] as number];
}

const READ = new WeakMap<Feature, Call>();

export function readCall({ agency, feature }: OwnedFeature): Call {
  const known = READ.get(feature);
  if (known) return known;
  const p = feature.properties;
  const call: Call = {
    id: feature.id,
    agency,
    number: text(p.number),
    type: text(p.type),
    priority: text(p.priority),
    rank: size(p.rank) ?? UNRANKED,
    state: text(p.state),
    openedAt: readMoment(p.opened_at),
    observedAt: readMoment(p.observed_at),
    place: placeOf(feature),
    uncertaintyM: size(p.uncertainty_m),
    address: text(p.address),
    crossStreets: text(p.cross_streets),
    units: list<string>(p.units),
    boundaries: list<Tag>(p.boundaries),
    narrative: text(p.narrative),
    origin: text(p.origin),
    source: text(p.source),
  };
  READ.set(feature, call);
  return call;
}

/** Return the open calls; closed ones are history. */
export function openCalls(state: Pick<State, "features">): Call[] {
  return featuresOf(state.features, "calls").map(readCall).filter((call) => call.state !== "closed");
}

export interface CallsBoard {
  readonly unlocated: readonly Call[];
  readonly waiting: readonly Call[];
  readonly active: readonly Call[];
}

/** By rank, then the oldest first. */
function byUrgency(a: Call, b: Call): number {
  return a.rank - b.rank || (a.openedAt ?? Infinity) - (b.openedAt ?? Infinity) || a.id - b.id;
}

export function callsBoard(calls: readonly Call[]): CallsBoard {
  const sorted = [...calls].sort(byUrgency);
  const located = sorted.filter((call) => call.place !== null);
  return {
    unlocated: sorted.filter((call) => call.place === null),
    waiting: located.filter((call) => call.state !== "active"),
    active: located.filter((call) => call.state === "active"),
  };
}
