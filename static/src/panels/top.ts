/** The top bar: what this is, one box to find things, which clock, and whether the page is live. */

import { css, html, nothing, type TemplateResult } from "lit";
import { formatDay, formatTime, formatZone } from "../geometry/format";
import { liveness } from "../state/freshness";
import type { State } from "../state/model";
import { unrealOrigins } from "../state/origins";
import { originWord, texts } from "../texts";
import { lineIcon } from "./icon";
import { hasNewMatter, hasNewSecond, Panel } from "./panel";
import { theme } from "./theme";

export class TopBar extends Panel {
  static override styles = [theme, css`
    :host { background: var(--panel); border-bottom: 1px solid var(--edge); }
    .bar { display: flex; align-items: center; gap: 14px; height: 48px; padding: 0 12px; }
    .product { font-size: 15px; font-weight: 700; letter-spacing: .01em; white-space: nowrap; }
    .find { display: flex; align-items: center; gap: 8px; flex: 1 1 180px; max-width: 420px; min-width: 120px; height: 32px; background: var(--ground); border: 1px solid var(--edge); color: var(--text-2); text-align: left; }
    .find span { flex: 1; }
    kbd { font: 600 11px/1 var(--font); color: var(--text-2); border: 1px solid var(--edge); border-radius: 4px; padding: 3px 5px; }
    .rest { margin-left: auto; display: flex; align-items: center; gap: 14px; }
    .origin { font-weight: 800; letter-spacing: .06em; color: var(--dark); background: var(--origin); border-radius: 4px; padding: 3px 8px; white-space: nowrap; }
    .clocks { display: flex; align-items: baseline; gap: 12px; white-space: nowrap; }
    .local { font-size: 19px; font-weight: 650; }
    .unset { font-weight: 650; color: var(--dark); background: var(--warn); border-radius: 4px; padding: 2px 8px; }
    .unset a { color: inherit; }
    .unit { font-size: 12px; color: var(--text-2); margin-left: 4px; }
    .link { display: flex; align-items: center; gap: 7px; font-weight: 650; border: 1px solid var(--edge); border-radius: 14px; padding: 3px 11px 3px 9px; white-space: nowrap; }
    .dot { width: 10px; height: 10px; border-radius: 50%; background: var(--text-2); }
    .live .dot { background: var(--good); }
    .delayed { color: var(--dark); background: var(--warn); border-color: var(--warn); }
    .delayed .dot { background: var(--dark); border-radius: 2px; }
    .not_live { color: var(--dark); background: var(--bad); border-color: var(--bad); }
    .not_live .dot { background: var(--dark); border-radius: 0; transform: rotate(45deg); }
    .actions { display: flex; align-items: center; gap: 2px; }
    .actions a, .actions button { display: inline-flex; align-items: center; justify-content: center; height: 30px; min-width: 30px; padding: 0 7px; border-radius: 5px; color: var(--text-2); text-decoration: none; }
    .actions a:hover, .actions button:hover { color: var(--text); background: var(--raised); }
    .actions a { white-space: nowrap; }
    @media (max-width: 1000px) { .day { display: none; } .find kbd { display: none; } }
    @media (max-width: 1180px) { .bar { gap: 10px; } .rest { gap: 10px; } .utc, .member { display: none; } }
  `];

  protected override concerns(state: State, before: State): boolean {
    return hasNewSecond(state, before) || hasNewMatter(state, before) || state.clock !== before.clock;
  }

  override render(): TemplateResult {
    return html`<header class="bar">
      <span class="product">${texts.product}</span>
      <button class="find" aria-keyshortcuts="Control+K" @click=${() => this.page.commands.run("search")}>
        ${lineIcon("search")}<span class="cut">${texts.commands.search}</span><kbd>${texts.commands.searchHint}</kbd>
      </button>
      <div class="rest">${this.#origins()}${this.#clocks()}${this.#link()}${this.#actions()}</div>
    </header>`;
  }

  #origins(): TemplateResult[] {
    return unrealOrigins(this.state).map((origin) => html`<span class="origin">${originWord(origin)}</span>`);
  }

  #clocks(): TemplateResult | typeof nothing {
    const { clock, hello } = this.state;
    if (!clock || !hello) return nothing;
    const [now, zone] = [this.now, this.timeZone()];
    return html`<div class="clocks number" role="group" aria-label=${texts.clock.label}>
      <span class="quiet day">${formatDay(now, zone)}</span>
      <span><time class="local">${formatTime(now, zone)}</time><span class="unit">${formatZone(now, zone)}</span></span>
      ${zone === "UTC" ? this.#unset() : html`<span class="utc"><time>${formatTime(now)}</time><span class="unit">${texts.clock.utc}</span></span>`}
      ${clock.speed === 1 ? nothing : html`<span class="quiet" title=${texts.clock.fastTitle(clock.speed)}>${texts.clock.fast(clock.speed)}</span>`}
    </div>`;
  }

  /** Times that only look local are worse than a warning. */
  #unset(): TemplateResult | typeof nothing {
    const agency = this.state.hello?.agencies[0];
    if (!agency || agency.time_zone) return nothing;
    const { adminUrl } = this.page;
    return html`<span class="unset" title=${texts.clock.unsetTitle(agency.name)}>${adminUrl ? html`<a href=${`${adminUrl}accounts/agency/${agency.id}/change/`}>${texts.clock.unset}</a>` : texts.clock.unset}</span>`;
  }

  #link(): TemplateResult {
    const state = liveness(this.state.link, this.state.real);
    const { reconnects } = this.state.link;
    return html`<span class="link ${state}" role="status" title=${texts.link.reconnects(reconnects)}><span class="dot"></span>${texts.link[state]}</span>`;
  }

  #actions(): TemplateResult {
    const { isMuted, hello } = this.state;
    const sound = isMuted ? texts.sound.off : texts.sound.on;
    return html`<div class="actions">
      <button aria-pressed=${!isMuted} aria-label=${sound} title=${`${sound} · M`} @click=${() => this.page.commands.run("mute")}>${lineIcon(isMuted ? "silent" : "sound", 18)}</button>
      <button title=${`${texts.commands.names.help} · ?`} @click=${() => this.page.commands.run("help")}>${texts.help}</button>
      ${hello?.member.roles.includes("administrator") ? html`<a href=${this.page.overviewUrl}>${texts.overview}</a>` : nothing}
      <a href=${this.page.signOutUrl} title=${hello?.member.name || hello?.member.username || ""}>${texts.signOut}</a>
    </div>`;
  }
}
customElements.define("rtcc-top", TopBar);
