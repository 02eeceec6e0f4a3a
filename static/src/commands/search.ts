/** One box for a unit, a call, an area, a coordinate or a command. */

import type { LngLat } from "../geometry/circle";
import { type Reading, readCoordinate } from "../geometry/coordinates";
import { openCalls } from "../state/calls";
import { featuresOf } from "../state/features";
import type { FoundPlace, LayerName, Selection, State } from "../state/model";
import { listUnits } from "../state/units";
import { capitalized, texts } from "../texts";
import type { Command } from "./registry";

export type Hit =
  | { readonly kind: "selection"; readonly title: string; readonly detail: string; readonly selection: Selection }
  | { readonly kind: "coordinate"; readonly title: string; readonly detail: string; readonly found: FoundPlace }
  | { readonly kind: "command"; readonly title: string; readonly detail: string; readonly id: string };

interface Candidate {
  readonly hit: Hit;
  readonly words: readonly string[];
}

const MOST_HITS = 9;
const EXACT = 0;
const NATURAL = new Intl.Collator("en-US", { numeric: true });

const chosen = (layer: LayerName, id: number, title: string, detail: string): Hit => ({ kind: "selection", title, detail, selection: { layer, id } });

function units(state: State): Candidate[] {
  const sorted = [...listUnits(state)].sort((a, b) => NATURAL.compare(a.callSign, b.callSign));
  return sorted.map((unit) => ({
    hit: chosen("units", unit.id, unit.callSign, [texts.card.unit, unit.status?.label].filter(Boolean).join(" · ")),
    words: [unit.callSign, unit.name],
  }));
}

function calls(state: State): Candidate[] {
  return openCalls(state).map((call) => ({
    hit: chosen("calls", call.id, call.number, [texts.card.call, call.type, call.address].filter(Boolean).join(" · ")),
    words: [call.number, call.type, call.address],
  }));
}

function areas(state: State): Candidate[] {
  return (["fences", "boundaries"] as const).flatMap((layer) =>
    featuresOf(state.features, layer).map(({ feature }) => {
      const { name: told, code, kind } = feature.properties;
      const name = String(told || code || feature.id);
      const detail = layer === "fences" ? texts.card.fence : [capitalized(kind) || texts.card.boundary, code === name ? "" : code].filter(Boolean).join(" ");
      return { hit: chosen(layer, feature.id, name, detail), words: [name, String(code ?? "")] };
    }),
  );
}

function actions(commands: readonly Command[]): Candidate[] {
  return commands
    .filter((command) => command.listed === undefined && command.id !== "search")
    .map(({ id, title, keys }) => ({ hit: { kind: "command" as const, title, detail: keys[0] ?? "", id }, words: [title] }));
}

/** 0 exact, 1 beginning, 2 a later word's beginning, 3 inside; Infinity for no match. */
function closeness(words: readonly string[], query: string): number {
  const scores = words.filter(Boolean).map((word) => {
    const text = word.toLowerCase();
    if (text === query) return 0;
    if (text.startsWith(query)) return 1;
    if (text.includes(` ${query}`)) return 2;
    return text.includes(query) ? 3 : Infinity;
  });
  return Math.min(Infinity, ...scores);
}

/** The middle of the first agency that has an area. */
function homeOf(state: State): LngLat | null {
  const box = state.hello?.agencies.find((agency) => agency.extent)?.extent;
  return box ? [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] : null;
}

const meters = (size: number): string => (size >= 1000 ? `${size / 1000} km` : `${size} m`);

/** Say what was understood, so that it can be checked before Enter. */
function coordinateHit({ notation, order, place, precisionM, text }: Reading): Hit {
  const { notations, orders, about } = texts.commands;
  const detail = [notations[notation], order ? orders[order] : "", about(meters(precisionM))].filter(Boolean).join(", ");
  return { kind: "coordinate", title: text, detail, found: { text, place, sizeM: precisionM } };
}

/** Return the best hits for what was typed: what is called exactly so, then coordinates, then what is close;
 * units before calls before areas before commands where equally close. */
export function search(state: State, commands: readonly Command[], typed: string): Hit[] {
  const query = typed.trim().toLowerCase();
  if (query === "") return [];
  const coordinates = readCoordinate(typed, homeOf(state)).map(coordinateHit);
  const ranked = [...units(state), ...calls(state), ...areas(state), ...actions(commands)]
    .map((candidate) => ({ hit: candidate.hit, score: closeness(candidate.words, query) }))
    .filter(({ score }) => score < Infinity)
    .sort((a, b) => a.score - b.score);
  const [exact, close] = [ranked.filter(({ score }) => score === EXACT), ranked.filter(({ score }) => score !== EXACT)];
  return [...exact.map(({ hit }) => hit), ...coordinates, ...close.map(({ hit }) => hit)].slice(0, MOST_HITS);
}
