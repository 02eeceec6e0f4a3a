/** The first screen of a new agency: what to do so that something is on the map. It goes when the first message comes. */

import { css, html, nothing, type TemplateResult } from "lit";
import { type Beginning, beginning } from "../state/beginning";
import { featuresOf } from "../state/features";
import { texts } from "../texts";
import { lineIcon } from "./icon";
import { Panel } from "./panel";
import { theme } from "./theme";

/** Lines break between words only: an option cut after its hyphens is copied wrong. */
const command = (words: string): TemplateResult => html`<code>${words.split(" ").map((word) => html`<span>${word}</span> `)}</code>`;

/** Stands in place of a number. */
const DONE = 0;

export class FirstSteps extends Panel {
  static override properties = { ...Panel.properties, isPutAway: { state: true } };
  static override styles = [theme, css`
    :host { position: absolute; inset: 0; z-index: 3; display: grid; place-items: center; padding: 44px 56px 52px; pointer-events: none; }
    section { position: relative; width: min(560px, 100%); max-height: 100%; overflow: hidden auto; padding: 16px 22px 18px; border: 1px solid var(--edge); border-radius: 10px; background: var(--panel); pointer-events: auto; scrollbar-color: var(--edge) transparent; }
    .close { position: absolute; top: 12px; right: 12px; }
    h2 { font-size: 20px; line-height: 1.25; padding-right: 36px; }
    p { margin-top: 4px; font-size: 14px; color: var(--text-2); }
    ol { list-style: none; margin: 12px 0 0; padding: 0; display: grid; gap: 10px; }
    li { display: grid; grid-template-columns: 26px minmax(0, 1fr); gap: 0 12px; }
    .at { display: grid; place-content: center; width: 26px; height: 26px; border-radius: 50%; border: 1.5px solid var(--text-2); font-weight: 700; color: var(--text-2); }
    .next .at { border-color: var(--focus); background: var(--focus); color: var(--dark); }
    h3 { font-size: 15px; line-height: 26px; }
    code { display: block; margin-top: 6px; padding: 7px 10px; border-radius: 5px; background: var(--ground); font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; color: var(--text); overflow-wrap: anywhere; user-select: all; }
    code span { white-space: nowrap; }
    a { color: var(--focus); display: inline-block; padding: 3px 0; }
  `];
  declare isPutAway: boolean;

  constructor() {
    super();
    this.isPutAway = false;
  }

  override render(): TemplateResult | typeof nothing {
    const at = beginning(this.state);
    if (at === null || this.isPutAway) return nothing;
    const { adminUrl } = this.page;
    if (adminUrl) return this.#card(texts.start.title, texts.start.hint, this.#steps(at, adminUrl));
    return at === "no_agency" ? this.#card(texts.start.noRole, texts.start.noRoleHint, nothing) : nothing;
  }

  #card(title: string, hint: string, rest: TemplateResult | typeof nothing): TemplateResult {
    return html`<section aria-label=${title}>
      <button class="close" aria-label=${texts.close} title=${texts.close} @click=${() => (this.isPutAway = true)}>${lineIcon("close")}</button>
      <h2>${title}</h2><p>${hint}</p>${rest}
    </section>`;
  }

  #steps(at: Beginning, adminUrl: string): TemplateResult {
    const { start } = texts;
    const agency = this.state.hello?.agencies[0];
    const areas = agency ? featuresOf(this.state.features, "boundaries").length : 0;
    const slug = agency?.slug ?? start.slug;
    return html`<ol>
      ${this.#step(agency ? DONE : 1, agency ? start.agencyMade(agency.name) : start.agency, at === "no_agency", agency ? start.agencyMadeHint : start.agencyHint, agency ? nothing : html`<a href=${`${adminUrl}accounts/agency/add/`}>${start.agencyLink}</a>`)}
      ${at === "no_message"
        ? this.#step(2, start.waiting, true, start.waitingHint(this.state.feeds.map((feed) => feed.name).join(", ")), html`<a href=${`${adminUrl}ingest/sourcehealth/`}>${start.healthLink}</a>`)
        : this.#step(2, start.source, at === "no_source", start.sourceHint, command(start.sourceCommand(slug)))}
      ${areas > 0 ? nothing : this.#step(3, start.areas, false, start.areasHint, command(start.areasCommand(slug)))}
      ${this.#step(areas > 0 ? 3 : 4, start.people, false, start.peopleHint, html`<a href=${`${adminUrl}accounts/member/`}>${start.peopleLink}</a>`)}
    </ol>`;
  }

  #step(number: number, title: string, isNext: boolean, hint: string, rest: TemplateResult | typeof nothing): TemplateResult {
    return html`<li class=${isNext ? "next" : ""} aria-current=${isNext ? "step" : nothing}><span class="at" aria-hidden="true">${number === DONE ? lineIcon("check", 14) : number}</span><div><h3>${title}</h3><p>${hint}</p>${rest}</div></li>`;
  }
}
customElements.define("rtcc-start", FirstSteps);
