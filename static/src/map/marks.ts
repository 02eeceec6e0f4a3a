/** What moves on the map, as plain marks: where, which symbol, what label. Pure; the drawing is elsewhere. */

import { formatAge, formatTime } from "../geometry/format";
import { type Call, openCalls } from "../state/calls";
import { serverNow } from "../state/freshness";
import type { State } from "../state/model";
import { opacityOf } from "../state/opacity";
import { boardPlace, listUnits, type Unit, unitFreshness, zoneOf } from "../state/units";
import { texts } from "../texts";
import { callIcon, pointerIcon, unitIcon } from "./symbols";

export interface Mark {
  readonly layer: "units" | "calls";
  readonly id: number;
  readonly lon: number;
  readonly lat: number;
  readonly icon: string;
  readonly pointer: string | null;
  readonly headingDeg: number;
  readonly label: string;
  /** 0.2 to 1: what is selected or in emergency is always drawn in full. */
  readonly opacity: number;
  readonly isSelected: boolean;
  readonly isEmergency: boolean;
  readonly uncertaintyM: number | null;
  /** Labels are placed in this order; 0 first. The names of areas have 1.5: what fell silent is named before them. */
  readonly urgency: number;
}

function silentLabel(state: State, unit: Unit, now: number): string {
  return `${unit.callSign}\n${texts.map.lastSeen(formatTime(unit.observedAt, zoneOf(state, unit.agency)), formatAge(now - unit.observedAt))}`;
}

function unitMark(state: State, unit: Unit, now: number): Mark {
  const freshness = unitFreshness(unit, now);
  const isSelected = state.selection?.layer === "units" && state.selection.id === unit.id;
  return {
    layer: "units",
    id: unit.id,
    lon: unit.place[0],
    lat: unit.place[1],
    icon: unitIcon(unit, freshness),
    pointer: unit.headingDeg === null || freshness === "hollow" ? null : pointerIcon(unit, freshness),
    headingDeg: unit.headingDeg ?? 0,
    label: freshness === "hollow" ? silentLabel(state, unit, now) : unit.callSign,
    opacity: isSelected || unit.meaning === "emergency" ? 1 : opacityOf(state, "units"),
    isSelected,
    isEmergency: unit.meaning === "emergency",
    uncertaintyM: null,
    urgency: isSelected ? 0 : unit.meaning === "emergency" ? 1 : freshness === "hollow" ? 1.4 : 3,
  };
}

function callMark(state: State, call: Call & { place: NonNullable<Call["place"]> }): Mark {
  const isSelected = state.selection?.layer === "calls" && state.selection.id === call.id;
  return {
    layer: "calls",
    id: call.id,
    lon: call.place[0],
    lat: call.place[1],
    icon: callIcon(call),
    pointer: null,
    headingDeg: 0,
    label: call.type || call.number,
    opacity: isSelected ? 1 : opacityOf(state, "calls"),
    isSelected,
    isEmergency: false,
    uncertaintyM: isSelected ? call.uncertaintyM : null,
    urgency: isSelected ? 0 : call.rank <= 1 ? 2 : 4,
  };
}

const hasPlace = (call: Call): call is Call & { place: NonNullable<Call["place"]> } => call.place !== null;

/** Return the marks of the visible layers; calls first, so that units are drawn over them; what is most urgent last. */
export function marksOf(state: State): Mark[] {
  const now = serverNow(state);
  const calls = state.hidden.has("calls") ? [] : openCalls(state).filter(hasPlace);
  const units = state.hidden.has("units") ? [] : [...listUnits(state)];
  units.sort((a, b) => boardPlace(b) - boardPlace(a));
  const drawn = calls.sort((a, b) => b.rank - a.rank).map((call) => callMark(state, call));
  return [...drawn, ...units.map((unit) => unitMark(state, unit, now))];
}
