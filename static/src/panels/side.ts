/** The right panel: the selection on top, the boards below it. */

import { css, html, nothing, type TemplateResult } from "lit";
import type { Board } from "../state/model";
import { texts } from "../texts";
import "./board-calls";
import "./board-units";
import "./card";
import { lineIcon } from "./icon";
import { Panel } from "./panel";
import { theme } from "./theme";

const BOARDS: readonly Board[] = ["calls", "units"];

export class SidePanel extends Panel {
  static override styles = [theme, css`
    :host { height: 100%; background: var(--panel); border-left: 1px solid var(--edge); overflow: hidden; }
    aside { display: flex; flex-direction: column; height: 100%; }
    rtcc-card { flex: 0 1 auto; max-height: 52%; overflow: hidden auto; border-bottom: 1px solid var(--edge); scrollbar-color: var(--edge) transparent; }
    .tabs { display: flex; align-items: flex-end; gap: 2px; padding: 6px 8px 0; border-bottom: 1px solid var(--edge); flex: none; }
    [role="tab"] { padding: 5px 12px 6px; min-height: 34px; font-size: 14px; font-weight: 600; color: var(--text-2); border-radius: 5px 5px 0 0; border-bottom: 3px solid transparent; }
    [role="tab"][aria-selected="true"] { color: var(--text); border-bottom-color: var(--focus); }
    .fold { margin: 0 0 4px auto; }
    .panel { flex: 1; min-height: 0; overflow: hidden auto; scrollbar-color: var(--edge) transparent; }
    footer { flex: none; padding: 6px 12px; font-size: 12px; color: var(--text-2); border-top: 1px solid var(--line); }
    .expand { width: 100%; height: 44px; display: flex; align-items: center; justify-content: center; border-radius: 0; padding: 0; }
  `];

  override render(): TemplateResult {
    if (this.state.collapsed.has("side")) return this.#fold("left", texts.boards.expand, "expand", false);
    const { board, selection } = this.state;
    return html`<aside aria-label=${texts.boards.title}>
      ${selection ? html`<rtcc-card .page=${this.page}></rtcc-card>` : nothing}
      <div class="tabs" role="tablist" aria-label=${texts.boards.title} @keydown=${this.#onKey}>
        ${BOARDS.map((name) => this.#tab(name))}${this.#fold("right", texts.boards.collapse, "fold", true)}
      </div>
      <div class="panel" role="tabpanel" id="board" aria-labelledby=${`tab-${board}`}>
        ${board === "calls" ? html`<rtcc-board-calls .page=${this.page}></rtcc-board-calls>` : html`<rtcc-board-units .page=${this.page}></rtcc-board-units>`}
      </div>
      <footer>${texts.boards.fromCad}</footer>
    </aside>`;
  }

  #tab(name: Board): TemplateResult {
    const isSelected = this.state.board === name;
    return html`<button role="tab" id=${`tab-${name}`} aria-controls="board" aria-selected=${isSelected} tabindex=${isSelected ? 0 : -1}
      @click=${() => this.page.store.dispatch({ type: "board", board: name })}>${texts.boards[name]}</button>`;
  }

  #fold(icon: "left" | "right", label: string, style: string, isExpanded: boolean): TemplateResult {
    return html`<button class=${style} aria-expanded=${isExpanded} aria-label=${label} title=${`${label} · ]`} @click=${() => this.page.commands.run("collapse_side")}>${lineIcon(icon)}</button>`;
  }

  async #onKey(event: KeyboardEvent): Promise<void> {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    this.page.store.dispatch({ type: "board", board: this.state.board === "calls" ? "units" : "calls" });
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
  }
}
customElements.define("rtcc-side", SidePanel);
