/** The sign-in over a locked desk. The map, its sounds and the NOT LIVE band go on beside it; all else is covered. */

import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Lock, Unlocking } from "../feed/session";
import type { State } from "../state/model";
import { texts } from "../texts";
import { lineIcon } from "./icon";
import { Panel } from "./panel";
import { theme } from "./theme";

const canUsePasskeys = (): boolean => "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;

export class DeskLock extends Panel {
  static override properties = { ...Panel.properties, ways: { state: true }, trouble: { state: true }, isBusy: { state: true } };
  static override styles = [theme, css`
    dialog { width: clamp(240px, 22.5vw, 380px); margin: auto clamp(6px, .5vw, 20px) auto auto; padding: 20px 22px 18px; border: 1px solid var(--text-2); border-radius: 10px; background: var(--panel); color: var(--text); box-shadow: 0 18px 60px #000c; }
    dialog::backdrop { background: none; }
    h2 { display: flex; align-items: center; gap: 10px; font-size: 20px; }
    p { margin-top: 6px; font-size: 14px; color: var(--text-2); }
    form { display: grid; gap: 8px; margin-top: 14px; }
    label { font-size: 14px; font-weight: 600; }
    input { height: 42px; padding: 0 12px; font: inherit; font-size: 16px; color: var(--text); background: var(--ground); border: 1px solid var(--text-2); border-radius: 6px; }
    button { min-height: 42px; font-size: 15px; font-weight: 700; }
    .main { color: var(--dark); background: var(--focus); }
    .main:hover { background: #a3d6ff; }
    .trouble { margin: 0; padding: 6px 10px; border-left: 3px solid var(--warn); background: var(--raised); color: var(--text); }
    @media (max-width: 900px) { dialog { width: min(380px, calc(100vw - 24px)); margin: auto auto 12px; } }
    a { display: inline-block; margin-top: 14px; padding: 4px 0; color: var(--focus); font-size: 14px; }
  `];
  declare ways: Lock | null;
  declare trouble: string;
  declare isBusy: boolean;

  constructor() {
    super();
    this.ways = null;
    this.trouble = "";
    this.isBusy = false;
  }

  protected override concerns(state: State, before: State): boolean {
    return state.desk.isLocked !== before.desk.isLocked;
  }

  protected override updated(_changed: PropertyValues): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (!dialog || dialog.open) return;
    this.page.store.dispatch({ type: "help", isOpen: false });
    dialog.showModal();
    this.trouble = "";
    void this.page.session.ways().then((ways) => (this.ways = ways));
  }

  override render(): TemplateResult | typeof nothing {
    if (!this.state.desk.isLocked) return nothing;
    const { lock } = texts;
    const passkey = this.ways?.passkey && canUsePasskeys() ? html`<button type="button" class="plain" ?disabled=${this.isBusy} @click=${this.#usePasskey}>${lock.passkey}</button>` : nothing;
    return html`<dialog aria-label=${lock.title} @cancel=${(event: Event) => event.preventDefault()} @keydown=${keepOpen}>
      <h2>${lineIcon("lock", 20)}${lock.title}</h2><p>${lock.hint}</p>
      <form @submit=${this.#usePassword}>
        ${this.ways ? html`<p>${lock.name(this.ways.name)}</p>` : nothing}
        <label for="password">${lock.password}</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required autofocus />
        ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}
        <button class="main" ?disabled=${this.isBusy}>${lock.unlock}</button>${passkey}
      </form>
      <a href=${this.page.signOutUrl}>${lock.other}</a>
    </dialog>`;
  }

  readonly #usePassword = (event: SubmitEvent): void => {
    event.preventDefault();
    const input = this.renderRoot.querySelector("input") as HTMLInputElement;
    const password = input.value;
    input.value = "";
    void this.#try(() => this.page.session.unlock({ password }));
  };

  readonly #usePasskey = (): void => {
    void this.#try(async () => {
      this.ways = await this.page.session.ways();
      if (!this.ways?.passkey) return { kind: "away" };
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(this.ways.passkey.publicKey);
      const credential = await navigator.credentials.get({ publicKey }).catch(() => null);
      if (credential === null) return { kind: "refused", detail: texts.lock.nothing };
      return this.page.session.unlock({ credential: (credential as PublicKeyCredential).toJSON() });
    });
  };

  async #try(prove: () => Promise<Unlocking>): Promise<void> {
    this.isBusy = true;
    const told = await prove();
    this.isBusy = false;
    if (told.kind === "open") this.page.store.dispatch({ type: "lock", isLocked: false });
    else if (told.kind === "out") location.assign(this.page.signInUrl);
    else this.trouble = told.kind === "away" ? texts.lock.away : told.detail || texts.lock.refused;
  }
}

/** Escape closes a dialog of a page that was not touched yet, whatever `cancel` says. */
function keepOpen(event: KeyboardEvent): void {
  if (event.key === "Escape") event.preventDefault();
}
customElements.define("rtcc-lock", DeskLock);
