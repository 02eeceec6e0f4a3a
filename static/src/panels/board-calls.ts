/** The Calls board: unlocated, then waiting, then active; by rank, then age. It needs no map. */

import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { formatCount, formatTimer } from "../geometry/format";
import { callLetter } from "../palette";
import { type Call, callsBoard, openCalls } from "../state/calls";
import { texts } from "../texts";
import { boardStyles, walkRows } from "./board";
import { callSymbol } from "./icon";
import { Panel } from "./panel";
import { theme } from "./theme";

export class CallsBoard extends Panel {
  static override styles = [theme, boardStyles, css`
    .symbol { width: 44px; }
    .age { width: 72px; }
    tr.group th { position: static; text-align: left; background: var(--ground); color: var(--text); font-size: 13px; font-weight: 700; padding: 6px 12px; }
    tr.group.unlocated th { background: var(--warn); color: var(--dark); }
    .group .hint { font-weight: 400; }
    .timer { font-size: 15px; font-weight: 650; }
    .line { display: flex; flex-wrap: wrap; gap: 0 10px; }
  `];

  override render(): TemplateResult {
    const calls = openCalls(this.state);
    if (calls.length === 0) return html`<p class="empty">${this.#emptyText()}</p>`;
    const { unlocated, waiting, active } = callsBoard(calls);
    const { columns } = texts.boards;
    return html`<table aria-label=${texts.boards.calls} @keydown=${walkRows}>
      <thead><tr><th class="symbol" scope="col"><span class="sr">${columns.priority}</span></th><th scope="col">${columns.call}</th><th class="age" scope="col">${columns.age}</th></tr></thead>
      ${this.#group("unlocated", unlocated)}${this.#group("waiting", waiting)}${this.#group("active", active)}
    </table>`;
  }

  #emptyText(): string {
    const { hello, link } = this.state;
    if (link.isSignedOut) return texts.boards.signedOut;
    return hello ? texts.boards.noCalls : texts.boards.noCallsYet;
  }

  #group(name: "unlocated" | "waiting" | "active", calls: readonly Call[]): TemplateResult | typeof nothing {
    if (calls.length === 0) return nothing;
    const hint = name === "unlocated" ? html` <span class="hint">· ${texts.boards.unlocatedHint}</span>` : nothing;
    return html`<tbody>
      <tr class="group ${name}"><th colspan="3" scope="rowgroup">${texts.boards[name]} ${formatCount(calls.length)}${hint}</th></tr>
      ${repeat(calls, (call) => call.id, (call) => this.#row(call))}
    </tbody>`;
  }

  #row(call: Call): TemplateResult {
    const { selection } = this.state;
    const isChosen = selection?.layer === "calls" && selection.id === call.id;
    const letter = callLetter(call.priority, call.rank);
    return html`<tr class="row ${isChosen ? "chosen" : ""}">
      <td>${callSymbol(call.rank, letter, call.state === "active", 26)}<span class="sr">${call.priority}</span></td>
      <td>
        <button class="pick" aria-pressed=${isChosen} @click=${() => this.page.choose({ layer: "calls", id: call.id })}>${call.type || call.number}</button>
        <div class="under cut" title=${call.address}>${call.address || texts.boards.noAddress}</div>
        <div class="under line"><span class="number">${call.number}</span><span>${call.units.join(" ")}</span></div>
      </td>
      <td><span class="timer number">${call.openedAt === null ? "" : formatTimer(this.now - call.openedAt)}</span></td>
    </tr>`;
  }
}
customElements.define("rtcc-board-calls", CallsBoard);
