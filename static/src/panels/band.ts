/** The full-width band that says, beyond doubt, that the page is not live. */

import { css, html, nothing, type TemplateResult } from "lit";
import { formatMoment } from "../geometry/format";
import { liveness, liveUntil } from "../state/freshness";
import { texts } from "../texts";
import { lineIcon } from "./icon";
import { Panel } from "./panel";
import { theme } from "./theme";

const ENDING_MS = 15 * 60_000;

export class NotLiveBand extends Panel {
  static override styles = [theme, css`
    .band { display: flex; align-items: center; justify-content: center; gap: 12px; min-height: 44px; padding: 6px 16px; background: var(--bad); color: var(--dark); font-size: 16px; }
    strong { font-size: 20px; font-weight: 800; letter-spacing: .02em; }
    a { color: var(--dark); font-weight: 700; padding: 4px 8px; }
    a:focus-visible { outline-color: var(--dark); }
    .notice { display: flex; align-items: center; justify-content: center; gap: 10px; padding: 5px 16px; background: var(--raised); border-bottom: 1px solid var(--warn); font-size: 14px; }
    .notice svg { color: var(--warn); }
  `];

  override render(): TemplateResult {
    return html`<div role="alert" aria-live="assertive">${this.#band()}</div><div role="status">${this.#notices()}</div>`;
  }

  #notices(): TemplateResult[] {
    const { desk, real } = this.state;
    const isEnding = desk.endsAt !== null && desk.endsAt > real && desk.endsAt - real < ENDING_MS;
    const ends = isEnding ? [texts.session.ends(formatMoment(desk.endsAt, real, this.timeZone()))] : [];
    return [...desk.notices, ...ends].map((words) => html`<div class="notice">${lineIcon("warning", 18)}<span>${words}</span></div>`);
  }

  #band(): TemplateResult | typeof nothing {
    const { link, real } = this.state;
    if (liveness(link, real) !== "not_live") return nothing;
    if (link.isSignedOut) return this.#words(texts.link.bandSignedOut, html`<a href=${this.page.signInUrl}>${texts.link.signIn}</a>`);
    const until = liveUntil(link);
    const title = until === null ? texts.link.bandNever : texts.link.bandSince(formatMoment(until, this.now, this.timeZone()));
    return this.#words(title, html`<span>${texts.link.bandHint}</span>`);
  }

  #words(title: string, rest: TemplateResult): TemplateResult {
    return html`<div class="band">${lineIcon("warning", 24)}<strong class="number">${title}</strong>${rest}</div>`;
  }
}
customElements.define("rtcc-band", NotLiveBand);
