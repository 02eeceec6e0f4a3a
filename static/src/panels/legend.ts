/** What the symbols on the map mean, in the words of the agency. */

import { html, type TemplateResult } from "lit";
import type { StatusDefinition } from "../feed/messages";
import type { State } from "../state/model";
import { MEANINGS, type Meaning } from "../state/units";
import { texts } from "../texts";
import { callSymbol, unitSymbol } from "./icon";

function statuses(state: State): StatusDefinition[] {
  const told = (state.hello?.agencies ?? []).flatMap((agency) => agency.statuses);
  const once = new Map(told.map((status) => [`${status.meaning}|${status.letter}|${status.label}`, status]));
  const order = (status: StatusDefinition): number => (MEANINGS as readonly string[]).indexOf(status.meaning);
  return [...once.values()].sort((a, b) => order(a) - order(b));
}

function priorities(state: State): { code: string; label: string; rank: number }[] {
  const told = (state.hello?.agencies ?? []).flatMap((agency) => agency.priorities);
  return [...new Map(told.map((priority) => [`${priority.rank}|${priority.code}`, priority])).values()].sort((a, b) => a.rank - b.rank);
}

const meaningOf = (word: string): Meaning => MEANINGS.find((meaning) => meaning === word) ?? "unknown";

export function legend(state: State): TemplateResult {
  const { layers } = texts;
  return html`
    <h3>${layers.legendUnits}</h3>
    <div class="legend">
      ${statuses(state).map(({ meaning, letter, label }) => html`${unitSymbol(meaningOf(meaning), letter, "fresh", 22)}<span>${label}</span>`)}
      ${unitSymbol("available", "", "late", 22)}<span>${layers.late}<br /><span class="quiet">${layers.lateMeans}</span></span>
      ${unitSymbol("available", "", "hollow", 22)}<span>${layers.hollow}<br /><span class="quiet">${layers.hollowMeans}</span></span>
      <p>${layers.heading}</p>
    </div>
    <h3>${layers.legendCalls}</h3>
    <div class="legend">
      ${priorities(state).map(({ code, label, rank }) => html`${callSymbol(rank, code.slice(0, 2).toUpperCase(), false, 22)}<span>${label}</span>`)}
      ${callSymbol(2, "", false, 22)}<span>${layers.waiting}</span>
      ${callSymbol(2, "", true, 22)}<span>${layers.active}</span>
    </div>`;
}
