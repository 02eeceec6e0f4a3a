/** The left panel: which layers are shown, how many things, how old their feeds are, and what the symbols mean. */

import { css, html, nothing, type TemplateResult } from "lit";
import type { FeedHealth } from "../feed/messages";
import { formatAge, formatCount, formatMoment } from "../geometry/format";
import { openCalls } from "../state/calls";
import { featuresOf } from "../state/features";
import { feedFreshness } from "../state/freshness";
import { LAYER_NAMES, type LayerName } from "../state/model";
import { FULL_PERCENT, LEAST_PERCENT, percentOf, STEP_PERCENT } from "../state/opacity";
import { countedUnits, listUnits } from "../state/units";
import { originWord, texts } from "../texts";
import { lineIcon } from "./icon";
import { legend } from "./legend";
import { Panel } from "./panel";
import { theme } from "./theme";

/** Shorter lists are read faster than searched. */
const LONG_LIST = 8;

export class LayerPanel extends Panel {
  static override styles = [theme, css`
    :host { height: 100%; overflow: hidden auto; background: var(--panel); border-right: 1px solid var(--edge); scrollbar-color: var(--edge) transparent; }
    section { padding: 10px 12px 12px; border-bottom: 1px solid var(--line); }
    .head { display: flex; align-items: center; justify-content: space-between; min-height: 28px; margin-bottom: 4px; }
    h2 { font-size: 12px; font-weight: 650; color: var(--text-2); text-transform: uppercase; letter-spacing: .07em; }
    h3 { font-size: 12px; font-weight: 650; color: var(--text-2); margin: 10px 0 4px; }
    ul { list-style: none; }
    .row { display: flex; align-items: center; gap: 2px; margin: 0 -8px 0 -4px; }
    .row label { flex: 1; min-width: 0; display: grid; grid-template-columns: 20px minmax(0, 1fr) auto; align-items: center; gap: 0 6px; min-height: 40px; padding: 3px 4px; border-radius: 5px; cursor: pointer; }
    .row label:hover { background: var(--raised); }
    .more { flex: none; display: grid; place-content: center; width: 26px; padding: 0; color: var(--text-2); }
    .more[aria-expanded="true"] svg { transform: rotate(90deg); }
    .fade { display: grid; grid-template-columns: 1fr auto; align-items: center; gap: 0 10px; padding: 3px 0 8px 26px; font-size: 12px; color: var(--text-2); }
    .fade output { grid-column: 2; grid-row: 1; color: var(--text); }
    input[type="range"] { grid-column: 1 / 3; width: 100%; height: 28px; margin: 0; accent-color: var(--focus); cursor: pointer; border-radius: 4px; }
    .find { width: 100%; height: 30px; margin: 2px 0 6px; padding: 0 8px; font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--text-2); border-radius: 5px; }
    .find::placeholder { color: var(--text-2); opacity: 1; }
    input[type="checkbox"] { width: 16px; height: 16px; margin: 0; accent-color: var(--focus); }
    .name { font-size: 14px; font-weight: 600; }
    .count { font-size: 14px; font-weight: 600; }
    .stale .name, .stale .count { color: var(--text-2); font-weight: 400; }
    .stale .age { color: var(--warn); }
    .age { grid-column: 2 / 4; font-size: 12px; color: var(--text-2); white-space: normal; }
    .faint { font-size: 12px; font-weight: 400; color: var(--text-2); }
    .feed { display: grid; grid-template-columns: 14px 1fr auto; gap: 0 6px; align-items: baseline; padding: 4px 0; }
    .mark { width: 9px; height: 9px; border-radius: 50%; background: var(--good); align-self: center; }
    .late .mark { background: var(--warn); border-radius: 2px; }
    .hollow .mark { background: none; border: 2px solid var(--text-2); border-radius: 0; }
    .late .title, .hollow .title { color: var(--text-2); }
    .never .mark { border-style: dotted; }
    .sub { grid-column: 2 / 4; font-size: 12px; color: var(--text-2); }
    .rejects { color: var(--warn); }
    .empty { color: var(--text-2); }
    .legend { display: grid; grid-template-columns: 26px 1fr; gap: 5px 8px; align-items: center; }
    .legend p { grid-column: 1 / 3; color: var(--text-2); font-size: 12px; }
    summary { cursor: pointer; min-height: 28px; display: flex; align-items: center; justify-content: space-between; border-radius: 4px; font-size: 12px; font-weight: 650; color: var(--text-2); text-transform: uppercase; letter-spacing: .07em; }
    summary::-webkit-details-marker { display: none; }
    summary svg { transition: none; }
    details[open] summary svg { transform: rotate(90deg); }
    .expand { width: 100%; height: 44px; display: flex; align-items: center; justify-content: center; border-radius: 0; padding: 0; }
  `];

  static override properties = { ...Panel.properties, typed: { state: true }, opened: { state: true } };
  declare typed: string;
  declare opened: LayerName | null;

  constructor() {
    super();
    this.typed = "";
    this.opened = null;
  }

  override render(): TemplateResult {
    if (this.state.collapsed.has("layers")) return this.#expander();
    return html`<nav aria-label=${texts.layers.title}>
      <section>
        <div class="head"><h2>${texts.layers.title}</h2>${this.#toggle("left", texts.layers.collapse)}</div>
        ${this.#find()}
        <ul>${LAYER_NAMES.filter((layer) => this.#isWanted(texts.layers[layer])).map((layer) => html`<li>${this.#layer(layer)}</li>`)}</ul>
      </section>
      <section><div class="head"><h2>${texts.layers.feeds}</h2></div>${this.#feeds()}</section>
      <section><details open><summary>${texts.layers.legend}${lineIcon("right", 14)}</summary>${legend(this.state)}</details></section>
    </nav>`;
  }

  #expander(): TemplateResult {
    return html`<button class="expand" aria-expanded="false" aria-label=${texts.layers.expand} title=${`${texts.layers.expand} · [`} @click=${() => this.page.commands.run("collapse_layers")}>${lineIcon("right")}</button>`;
  }

  #toggle(icon: "left" | "right", label: string): TemplateResult {
    return html`<button aria-expanded="true" aria-label=${label} title=${`${label} · [`} @click=${() => this.page.commands.run("collapse_layers")}>${lineIcon(icon)}</button>`;
  }

  #layer(layer: LayerName): TemplateResult {
    const info = this.state.hello?.layers.find((one) => one.name === layer);
    const name = texts.layers[layer];
    const age = this.state.hello?.agencies.length && !info?.agencies.length ? texts.layers.withdrawn : this.#age(layer);
    return html`<div class="row"><label class=${this.#isStale(layer) ? "stale" : ""}>
      <input type="checkbox" aria-label=${texts.layers.shown(name)} .checked=${!this.state.hidden.has(layer)} @change=${() => this.page.store.dispatch({ type: "toggle_layer", layer })} />
      <span class="name">${name}${this.#faint(layer)}</span><span class="count number">${this.#count(layer)}</span>
      ${age ? html`<span class="age number">${age}</span>` : nothing}
    </label>${this.#more(layer, name)}</div>${this.opened === layer ? this.#fade(layer, name) : nothing}`;
  }

  /** What is drawn fainter says so, also while its slider is put away. */
  #faint(layer: LayerName): TemplateResult | typeof nothing {
    const percent = percentOf(this.state, layer);
    return percent === FULL_PERCENT || this.opened === layer ? nothing : html` <span class="faint number">${percent} %</span>`;
  }

  #more(layer: LayerName, name: string): TemplateResult {
    const isOpen = this.opened === layer;
    const label = texts.layers.opacityOf(name);
    return html`<button class="more" aria-expanded=${isOpen} aria-controls=${`fade-${layer}`} aria-label=${label} title=${label} @click=${() => (this.opened = isOpen ? null : layer)}>${lineIcon("right", 14)}</button>`;
  }

  #fade(layer: LayerName, name: string): TemplateResult {
    const percent = percentOf(this.state, layer);
    const set = (event: Event): void => this.page.store.dispatch({ type: "opacity", layer, percent: Number((event.target as HTMLInputElement).value) });
    return html`<div class="fade" id=${`fade-${layer}`}>
      <span>${texts.layers.opacity}</span><output class="number">${percent} %</output>
      <input type="range" aria-label=${texts.layers.opacityOf(name)} aria-valuetext=${`${percent} %`} min=${LEAST_PERCENT} max=${FULL_PERCENT} step=${STEP_PERCENT} .value=${String(percent)} @input=${set} />
    </div>`;
  }

  /** A box to find things appears where there is something to look for. */
  #find(): TemplateResult | typeof nothing {
    if (!this.#isLong) return nothing;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || !this.typed) return;
      this.typed = "";
      event.stopPropagation();
    };
    return html`<input class="find" type="search" aria-label=${texts.layers.find} placeholder=${texts.layers.find} .value=${this.typed} @keydown=${onKey}
      @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value)} />`;
  }

  get #isLong(): boolean {
    return Math.max(LAYER_NAMES.length, this.state.feeds.length) >= LONG_LIST;
  }

  #isWanted(name: string): boolean {
    return !this.#isLong || name.toLowerCase().includes(this.typed.trim().toLowerCase());
  }

  #count(layer: LayerName): string {
    const { features } = this.state;
    if (layer === "units") return formatCount(countedUnits(this.state) ?? listUnits(this.state).length);
    return formatCount(layer === "calls" ? openCalls(this.state).length : featuresOf(features, layer).length);
  }

  /** The feeds of a layer that ever sent something, the newest message first. */
  #feedsOf(layer: LayerName): FeedHealth[] {
    const feeds = this.state.feeds.filter((feed) => feed.layer === layer && feed.last_message_at !== null);
    return feeds.sort((a, b) => (b.last_message_at as number) - (a.last_message_at as number));
  }

  #isStale(layer: LayerName): boolean {
    const feeds = this.#feedsOf(layer);
    return feeds.length > 0 && feeds.every((feed) => feedFreshness(feed, this.now) !== "fresh");
  }

  #age(layer: LayerName): string {
    const [newest] = this.#feedsOf(layer);
    if (!newest) return "";
    const at = newest.last_message_at as number;
    if (this.#isStale(layer)) return texts.layers.staleSince(formatMoment(at, this.now, this.timeZone(newest.agency)));
    return texts.layers.lastUpdate(formatAge(this.now - at));
  }

  #feeds(): TemplateResult {
    const { feeds } = this.state;
    if (feeds.length === 0) return html`<p class="empty">${texts.layers.noFeeds}</p>`;
    const wanted = feeds.filter((feed) => this.#isWanted(feed.name));
    if (wanted.length === 0) return html`<p class="empty">${texts.layers.noMatch(this.typed.trim())}</p>`;
    return html`<ul>${wanted.map((feed) => this.#feed(feed))}</ul>`;
  }

  /** One origin for all stands in the top bar and on the frame; a mix is told feed by feed. */
  get #hasManyOrigins(): boolean {
    return new Set(this.state.feeds.map((feed) => feed.origin)).size > 1;
  }

  #feed(feed: FeedHealth): TemplateResult {
    const freshness = feedFreshness(feed, this.now);
    const { last_message_at: last, rejects_hour: rejects } = feed;
    const age = last === null ? "" : formatAge(this.now - last);
    const zone = this.timeZone(feed.agency);
    const since = last === null ? texts.layers.never : freshness === "fresh" ? "" : texts.layers.staleSince(formatMoment(last, this.now, zone));
    return html`<li class="feed ${freshness}">
      <span class="mark"></span><span class="title cut" title=${feed.name}>${feed.name}</span><span class="number quiet">${age}</span>
      ${since ? html`<span class="sub number">${since}</span>` : nothing}
      ${feed.origin === "live" || !this.#hasManyOrigins ? nothing : html`<span class="sub">${originWord(feed.origin)}</span>`}
      ${rejects > 0 ? html`<span class="sub rejects">${texts.layers.rejects(rejects)}</span>` : nothing}
    </li>`;
  }
}
customElements.define("rtcc-layers", LayerPanel);
