/** The list of keys, and the switch for single letters. */

import { css, html, type PropertyValues, type TemplateResult } from "lit";
import type { Command, CommandGroup } from "../commands/registry";
import { texts } from "../texts";
import { lineIcon } from "./icon";
import { Panel } from "./panel";
import { theme } from "./theme";

const GROUPS: readonly CommandGroup[] = ["go", "show", "page"];
const NAMES: Readonly<Record<string, string>> = { Escape: "Esc", ArrowDown: "↓", ArrowUp: "↑" };

export class KeyList extends Panel {
  static override styles = [theme, css`
    dialog { width: min(760px, calc(100vw - 32px)); max-height: 84vh; padding: 0; border: 1px solid var(--text-2); border-radius: 10px; background: var(--panel); color: var(--text); box-shadow: 0 18px 60px #000c; }
    dialog::backdrop { background: #0009; }
    .top { display: flex; justify-content: space-between; align-items: center; padding: 14px 14px 8px 22px; }
    h2 { font-size: 18px; }
    .groups { columns: 2; column-gap: 32px; padding: 0 22px 8px; }
    section { break-inside: avoid; margin-bottom: 14px; }
    h3 { font-size: 12px; text-transform: uppercase; letter-spacing: .07em; color: var(--text-2); margin-bottom: 4px; }
    dl { display: grid; grid-template-columns: 1fr auto; gap: 5px 10px; align-items: center; }
    dd { display: flex; gap: 4px; justify-content: flex-end; }
    kbd { font: 600 12px/1 var(--font); border: 1px solid var(--text-2); border-bottom-width: 2px; border-radius: 4px; padding: 4px 6px; min-width: 24px; text-align: center; white-space: nowrap; }
    label { display: flex; gap: 10px; padding: 12px 22px 16px; border-top: 1px solid var(--edge); cursor: pointer; }
    input { width: 18px; height: 18px; margin: 1px 0 0; accent-color: var(--focus); }
    @media (max-width: 720px) { .groups { columns: 1; } }
  `];

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }

  protected override updated(_changed: PropertyValues): void {
    const dialog = this.#dialog;
    if (this.state.isHelpOpen && !dialog?.open) dialog?.showModal();
    if (!this.state.isHelpOpen && dialog?.open) dialog.close();
  }

  override render(): TemplateResult {
    const close = (): void => this.page.store.dispatch({ type: "help", isOpen: false });
    return html`<dialog aria-label=${texts.commands.title} @close=${close} @click=${(event: MouseEvent) => event.target === this.#dialog && close()}>
      <div class="top"><h2>${texts.commands.title}</h2><button aria-label=${texts.close} @click=${close}>${lineIcon("close")}</button></div>
      <div class="groups">${GROUPS.map((group) => this.#group(group))}</div>
      <label><input type="checkbox" .checked=${this.state.areLettersOn} @change=${(event: Event) => this.page.store.dispatch({ type: "letters", areOn: (event.target as HTMLInputElement).checked })} />
        <span>${texts.commands.single}<br /><span class="quiet">${texts.commands.singleHint}</span></span></label>
    </dialog>`;
  }

  #group(group: CommandGroup): TemplateResult {
    const commands = this.page.commands.all.filter((command) => command.group === group && command.listed !== "hidden");
    return html`<section><h3>${texts.commands.groups[group]}</h3><dl>${commands.map((command) => this.#line(command))}</dl></section>`;
  }

  #line(command: Command): TemplateResult {
    const { title, keys } = typeof command.listed === "object" ? command.listed : command;
    return html`<dt>${title}</dt><dd>${keys.map((key) => html`<kbd>${NAMES[key] ?? key}</kbd>`)}</dd>`;
  }
}
customElements.define("rtcc-keys", KeyList);
