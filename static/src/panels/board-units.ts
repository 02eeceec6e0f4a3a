/** The Units board: the table twin of the units on the map. */

import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { formatAge } from "../geometry/format";
import { type Call, openCalls } from "../state/calls";
import { callsByUnit, countedUnits, listUnits, type Unit, unitFreshness, unitsBoard } from "../state/units";
import { texts } from "../texts";
import { boardStyles, walkRows } from "./board";
import { unitSymbol } from "./icon";
import { Panel } from "./panel";
import { theme } from "./theme";

/** A longer table is no board; finding and zooming serve better. */
const MOST_ROWS = 300;

/** Show how long the status has been set: a lower bound when it was set before the page opened. */
export function statusAge(unit: Unit, now: number): string {
  const age = formatAge(now - unit.statusSince);
  return unit.isSinceExact ? age : texts.boards.atLeast(age);
}

export class UnitsBoard extends Panel {
  static override styles = [theme, boardStyles, css`
    .symbol { width: 42px; }
    .since { width: 74px; }
    .gps { width: 72px; }
    th { white-space: nowrap; }
    th, td { padding-inline: 4px; }
    .count { padding: 7px 12px; font-size: 12px; color: var(--text-2); border-bottom: 1px solid var(--line); }
    .late { color: var(--warn); }
    .hollow { color: var(--warn); font-weight: 650; }
  `];

  override render(): TemplateResult {
    const units = unitsBoard(listUnits(this.state));
    const all = countedUnits(this.state) ?? units.length;
    if (units.length === 0) return html`<p class="empty">${this.state.link.isSignedOut ? texts.boards.signedOut : all > 0 ? texts.boards.noUnitsInView(all) : texts.boards.noUnits}</p>`;
    const calls = callsByUnit(openCalls(this.state));
    const { columns } = texts.boards;
    return html`${this.#note(units.length, all)}
      <table aria-label=${texts.boards.units} @keydown=${walkRows}>
        <thead><tr><th class="symbol" scope="col"><span class="sr">${columns.status}</span></th><th scope="col">${columns.unit}</th><th class="since" scope="col">${columns.inStatus}</th><th class="gps" scope="col">${columns.gps}</th></tr></thead>
        <tbody>${repeat(units.slice(0, MOST_ROWS), (unit) => unit.id, (unit) => this.#row(unit, calls.get(`${unit.agency}:${unit.callSign}`)))}</tbody>
      </table>`;
  }

  #note(shown: number, all: number): TemplateResult | typeof nothing {
    if (shown > MOST_ROWS) return html`<p class="count number">${texts.boards.firstUnits(MOST_ROWS, shown)}</p>`;
    return all > shown ? html`<p class="count number">${texts.boards.unitsInView(shown, all)}</p>` : nothing;
  }

  #row(unit: Unit, call: Call | undefined): TemplateResult {
    const { selection } = this.state;
    const isChosen = selection?.layer === "units" && selection.id === unit.id;
    const freshness = unitFreshness(unit, this.now);
    return html`<tr class="row ${isChosen ? "chosen" : ""}">
      <td>${unitSymbol(unit.meaning, unit.status?.letter ?? "", freshness, 26)}</td>
      <td>
        <button class="pick cut" aria-pressed=${isChosen} @click=${() => this.page.choose({ layer: "units", id: unit.id })}>${unit.callSign}</button>
        <div class="under cut">${unit.status?.label ?? texts.unknown}</div>
        ${call ? html`<div class="under" title=${call.number}>${call.type || call.number}</div>` : nothing}
      </td>
      <td class="number" title=${unit.isSinceExact ? "" : texts.boards.atLeastTitle}>${statusAge(unit, this.now)}</td>
      <td class="number ${freshness}">${formatAge(this.now - unit.observedAt)}</td>
    </tr>`;
  }
}
customElements.define("rtcc-board-units", UnitsBoard);
