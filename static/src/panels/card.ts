/** The card of what is selected. */

import { css, html, nothing, type TemplateResult } from "lit";
import { formatCoordinate } from "../geometry/coordinates";
import { formatAge, formatHeading, formatLength, formatMoment, formatSpeed, formatTimer } from "../geometry/format";
import { callLetter } from "../palette";
import { type Call, openCalls, readCall, readMoment } from "../state/calls";
import { findFeature, type OwnedFeature } from "../state/features";
import { callsByUnit, listUnits, type Unit, unitFreshness } from "../state/units";
import { capitalized, originWord, texts } from "../texts";
import { statusAge } from "./board-units";
import { callSymbol, lineIcon, unitSymbol } from "./icon";
import { Panel } from "./panel";
import { theme } from "./theme";

type Fact = readonly [label: string, value: unknown];

export class SelectionCard extends Panel {
  static override styles = [theme, css`
    .top { display: flex; align-items: center; gap: 9px; padding: 10px 8px 8px 12px; position: sticky; top: 0; background: var(--panel); z-index: 1; }
    .titles { flex: 1; min-width: 0; }
    h2 { font-size: 18px; font-weight: 700; line-height: 1.25; overflow-wrap: anywhere; }
    .kind { font-size: 12px; color: var(--text-2); }
    .actions { display: flex; flex-wrap: wrap; gap: 6px; padding: 0 12px 8px; }
    .actions button { display: inline-flex; align-items: center; gap: 6px; min-height: 28px; }
    [aria-pressed="true"].plain { background: var(--focus); color: var(--dark); border-color: var(--focus); font-weight: 650; }
    dl { display: grid; grid-template-columns: minmax(92px, auto) 1fr; gap: 4px 12px; padding: 2px 12px 12px; }
    dt { color: var(--text-2); }
    dd { min-width: 0; overflow-wrap: anywhere; }
    .note { margin: 0 12px 8px; padding: 6px 9px; border-left: 3px solid var(--warn); background: var(--raised); }
    .origin { display: inline-block; font-weight: 700; font-size: 12px; letter-spacing: .04em; color: var(--dark); background: var(--origin); border-radius: 3px; padding: 0 6px; }
    .narrative { white-space: pre-line; }
    .chips { display: flex; flex-wrap: wrap; gap: 4px; }
    .chips button { min-height: 24px; padding: 0 7px; font-weight: 650; }
    .empty { padding: 4px 12px 14px; color: var(--text-2); }
  `];

  override render(): TemplateResult | typeof nothing {
    const { selection } = this.state;
    if (!selection) return nothing;
    if (selection.layer === "units") {
      const unit = listUnits(this.state).find((one) => one.id === selection.id);
      return unit ? this.#unit(unit) : this.#gone(texts.card.unit);
    }
    const found = findFeature(this.state.features, selection.layer, selection.id);
    if (selection.layer === "calls") {
      const call = found && readCall(found);
      return call && call.state !== "closed" ? this.#call(call) : this.#gone(texts.card.call);
    }
    const kind = selection.layer === "fences" ? texts.card.fence : texts.card.boundary;
    return found ? this.#area(found, kind) : this.#gone(kind);
  }

  #head(symbol: TemplateResult | typeof nothing, title: string, kind: string): TemplateResult {
    return html`<div class="top">${symbol}<div class="titles"><div class="kind">${kind}</div><h2>${title}</h2></div>
      <button aria-label=${texts.card.close} title=${`${texts.card.close} · Esc`} @click=${() => this.page.commands.run("escape")}>${lineIcon("close")}</button></div>`;
  }

  #gone(kind: string): TemplateResult {
    return html`${this.#head(nothing, kind, "")}<p class="empty">${texts.card.gone}</p>`;
  }

  #facts(facts: readonly Fact[]): TemplateResult {
    const told = facts.filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== nothing);
    return html`<dl>${told.map(([label, value]) => html`<dt>${label}</dt><dd class="number-ish">${value}</dd>`)}</dl>`;
  }

  #actions(canFollow: boolean): TemplateResult {
    const { isFollowing } = this.state;
    return html`<div class="actions">
      <button class="plain" title="X" @click=${() => this.page.commands.run("center")}>${lineIcon("target", 14)}${texts.card.center}</button>
      ${canFollow ? html`<button class="plain" title="F" aria-pressed=${isFollowing} @click=${() => this.page.commands.run("follow")}>${isFollowing ? texts.card.following : texts.card.follow}</button>` : nothing}
    </div>`;
  }

  #origin(origin: string): unknown {
    return origin === "" || origin === "live" ? nothing : html`<span class="origin">${originWord(origin)}</span>`;
  }

  #unit(unit: Unit): TemplateResult {
    const { card } = texts;
    const now = this.now;
    const freshness = unitFreshness(unit, now);
    const call = callsByUnit(openCalls(this.state)).get(`${unit.agency}:${unit.callSign}`);
    const interval = unit.intervalS === null ? "" : formatAge(unit.intervalS * 1000);
    return html`${this.#head(unitSymbol(unit.meaning, unit.status?.letter ?? "", freshness, 34), unit.callSign, [card.unit, unit.kind].filter(Boolean).join(" · "))}
      ${this.#actions(true)}
      ${freshness === "fresh" || !interval ? nothing : html`<p class="note">${card.late(interval)}</p>`}
      ${unit.isClockOff ? html`<p class="note">${card.clockOff}</p>` : nothing}
      ${this.#facts([
        [card.status, unit.status?.label ?? texts.unknown],
        [card.inStatus, statusAge(unit, now)],
        [card.onCall, call ? this.#link(call.number, "calls", call.id) : nothing],
        [card.lastSeen, `${formatMoment(unit.observedAt, now, this.timeZone(unit.agency))}, ${formatAge(now - unit.observedAt)}`],
        [card.speed, unit.speedMps === null ? "" : formatSpeed(unit.speedMps, this.units(unit.agency))],
        [card.heading, unit.headingDeg === null ? "" : formatHeading(unit.headingDeg)],
        [card.position, formatCoordinate(unit.place)],
        [card.vehicle, unit.name === unit.callSign ? "" : unit.name],
        [card.source, unit.source],
        [card.reportsEvery, interval],
        [card.origin, this.#origin(unit.origin)],
      ])}`;
  }

  #link(label: string, layer: "calls" | "units", id: number): TemplateResult {
    return html`<span class="chips"><button class="plain" @click=${() => this.page.choose({ layer, id })}>${label}</button></span>`;
  }

  #call(call: Call): TemplateResult {
    const { card } = texts;
    const now = this.now;
    const zone = this.timeZone(call.agency);
    return html`${this.#head(callSymbol(call.rank, callLetter(call.priority, call.rank), call.state === "active", 34), call.type || call.number, `${card.call} ${call.number}`)}
      ${call.place ? this.#actions(false) : html`<p class="note">${card.unlocated}</p>`}
      ${this.#facts([
        [card.priority, this.#priority(call)],
        [card.state, card.states[call.state] ?? call.state],
        [card.address, call.address],
        [card.cross, call.crossStreets],
        [card.open, call.openedAt === null ? "" : formatTimer(now - call.openedAt)],
        [card.opened, call.openedAt === null ? "" : formatMoment(call.openedAt, now, zone)],
        [card.units, this.#unitsOf(call)],
        [card.narrative, call.narrative ? html`<span class="narrative">${call.narrative}</span>` : ""],
        [card.area, call.boundaries.map((tag) => `${capitalized(tag.kind)} ${tag.name || tag.code}`).join(", ")],
        [card.accuracy, call.uncertaintyM === null || !call.place ? "" : card.within(formatLength(call.uncertaintyM, this.units(call.agency)))],
        [card.position, call.place ? formatCoordinate(call.place) : ""],
        [card.source, call.source],
        [card.origin, this.#origin(call.origin)],
      ])}`;
  }

  #priority(call: Call): string {
    const agency = this.state.hello?.agencies.find((one) => one.id === call.agency);
    const label = agency?.priorities.find((one) => one.code === call.priority)?.label;
    return label && label !== call.priority ? `${call.priority} · ${label}` : call.priority;
  }

  #unitsOf(call: Call): TemplateResult | string {
    if (call.units.length === 0) return texts.card.noUnits;
    const units = new Map(listUnits(this.state).filter((unit) => unit.agency === call.agency).map((unit) => [unit.callSign, unit.id]));
    return html`<span class="chips">${call.units.map((name) => {
      const id = units.get(name);
      return id === undefined ? html`<span>${name}</span>` : html`<button class="plain" @click=${() => this.page.choose({ layer: "units", id })}>${name}</button>`;
    })}</span>`;
  }

  #area({ agency, feature }: OwnedFeature, kind: string): TemplateResult {
    const { card } = texts;
    const p = feature.properties;
    const moment = (value: unknown): string => {
      const ms = readMoment(value);
      return ms === null ? "" : formatMoment(ms, this.now, this.timeZone(agency));
    };
    return html`${this.#head(nothing, String(p.name ?? p.code ?? feature.id), kind)}${this.#actions(false)}${this.#facts([
      [card.category, capitalized(p.category)],
      [card.kind, capitalized(p.kind)],
      [card.code, p.code],
      [card.radius, typeof p.radius_m === "number" ? formatLength(p.radius_m, this.units(agency)) : ""],
      [card.from, moment(p.active_from ?? p.valid_from)],
      [card.to, moment(p.active_to ?? p.valid_to)],
    ])}`;
  }
}
customElements.define("rtcc-card", SelectionCard);
