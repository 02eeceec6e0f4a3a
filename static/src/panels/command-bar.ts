/** The command bar: one box that finds units, calls, areas, coordinates and commands. */

import { css, html, nothing, type TemplateResult } from "lit";
import { type Hit, search } from "../commands/search";
import { texts } from "../texts";
import { lineIcon } from "./icon";
import { Panel } from "./panel";
import { theme } from "./theme";

export class CommandBar extends Panel {
  static override properties = { ...Panel.properties, typed: { state: true }, at: { state: true } };
  static override styles = [theme, css`
    dialog { width: min(620px, calc(100vw - 32px)); margin: 9vh auto auto; padding: 0; border: 1px solid var(--text-2); border-radius: 10px; background: var(--panel); color: var(--text); box-shadow: 0 18px 60px #000c; }
    dialog::backdrop { background: #0009; }
    .box { display: flex; align-items: center; gap: 10px; padding: 0 16px; color: var(--text-2); }
    input { flex: 1; height: 54px; font: 500 18px var(--font); color: var(--text); background: none; border: 0; outline: none; }
    input:focus-visible { outline: none; }
    .box:focus-within { box-shadow: inset 0 -2px 0 var(--focus); border-radius: 9px 9px 0 0; }
    input::placeholder { color: var(--text-2); opacity: 1; }
    ul { list-style: none; border-top: 1px solid var(--edge); padding: 6px; }
    li { display: flex; min-width: 0; align-items: baseline; gap: 12px; padding: 8px 10px; border-radius: 6px; cursor: pointer; }
    li[aria-selected="true"] { background: var(--chosen); box-shadow: inset 3px 0 0 var(--focus); }
    .title { font-size: 15px; font-weight: 650; white-space: nowrap; }
    .examples { display: grid; grid-template-columns: auto 1fr; gap: 8px 16px; padding: 14px 18px 18px; border-top: 1px solid var(--edge); color: var(--text-2); }
    dt { font-weight: 650; color: var(--text); white-space: nowrap; }
    p { padding: 14px 16px 18px; border-top: 1px solid var(--edge); color: var(--text-2); }
  `];
  declare typed: string;
  declare at: number;

  constructor() {
    super();
    this.typed = "";
    this.at = 0;
  }

  get isOpen(): boolean {
    return this.#dialog?.open ?? false;
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }

  open(): void {
    this.typed = "";
    this.at = 0;
    this.#dialog?.showModal();
    this.renderRoot.querySelector("input")?.focus();
  }

  protected override concerns(): boolean {
    return this.isOpen;
  }

  override render(): TemplateResult {
    const hits = search(this.state, this.page.commands.all, this.typed);
    const at = Math.min(this.at, hits.length - 1);
    return html`<dialog aria-label=${texts.commands.search} @click=${this.#onBackdrop}>
      <div class="box">${lineIcon("search", 20)}
        <input type="text" role="combobox" autocomplete="off" spellcheck="false" aria-expanded=${hits.length > 0} aria-controls="hits" aria-activedescendant=${hits.length > 0 ? `hit-${at}` : nothing}
          aria-label=${texts.commands.search} placeholder=${texts.commands.search} .value=${this.typed} @input=${this.#onInput} @keydown=${(event: KeyboardEvent) => this.#onKey(event, hits, at)} />
      </div>
      ${hits.length > 0 ? html`<ul id="hits" role="listbox" aria-label=${texts.commands.results}>${hits.map((hit, index) => this.#hit(hit, index, index === at))}</ul>` : nothing}
      ${this.typed.trim() ? nothing : html`<dl class="examples">${texts.commands.examples.map(([typed, means]) => html`<dt>${typed}</dt><dd>${means}</dd>`)}</dl>`}
      ${hits.length === 0 && this.typed.trim() ? html`<p role="status">${texts.commands.noResults(this.typed.trim())}</p>` : nothing}
    </dialog>`;
  }

  #hit(hit: Hit, index: number, isAt: boolean): TemplateResult {
    return html`<li role="option" id=${`hit-${index}`} aria-selected=${isAt} @mousemove=${() => (this.at = index)} @click=${() => this.#take(hit)}>
      <span class="title cut">${hit.title}</span><span class="quiet cut">${hit.detail}</span></li>`;
  }

  #onInput(event: Event): void {
    this.typed = (event.target as HTMLInputElement).value;
    this.at = 0;
  }

  #onKey(event: KeyboardEvent, hits: readonly Hit[], at: number): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && hits.length > 0) this.at = (at + step + hits.length) % hits.length;
    const hit = hits[at];
    if (event.key === "Enter" && hit) this.#take(hit);
    if (step !== 0 || event.key === "Enter") event.preventDefault();
  }

  #onBackdrop(event: MouseEvent): void {
    if (event.target === this.#dialog) this.#dialog?.close();
  }

  #take(hit: Hit): void {
    this.#dialog?.close();
    if (hit.kind === "selection") this.page.choose(hit.selection);
    else if (hit.kind === "coordinate") this.page.goTo(hit.found);
    else this.page.commands.run(hit.id);
  }
}
customElements.define("rtcc-command-bar", CommandBar);
