/** The stage: the map with what lies over it, and the moves that commands ask of it. */

import type { ViewRequest } from "./feed/messages";
import { boxAround, type LngLat } from "./geometry/circle";
import type { BoundingBox } from "./geometry/tiles";
import { boxOf, polygonsOf } from "./map/areas";
import { MapPane } from "./map/view";
import { hasNewMatter, hasNewSecond } from "./panels/panel";
import { Tip, tipLines } from "./panels/tip";
import { type MapView, writeAddress } from "./state/address";
import { openCalls } from "./state/calls";
import { wholeArea } from "./state/extent";
import { findFeature } from "./state/features";
import { type FoundPlace, type Selection, type State } from "./state/model";
import type { Store } from "./state/store";
import { listUnits } from "./state/units";
import { texts } from "./texts";

const TOAST_MS = 4000;
const SHOWN_WHOLE_M = 500;
/** Without a map the boards show everything. */
const THE_WORLD: BoundingBox = [-180, -85, 180, 85];

/** Symbols grow old by themselves, so the map is drawn each second even when nothing comes. */
function mustDraw(state: State, before: State): boolean {
  return state.fleet !== before.fleet || hasNewMatter(state, before) || hasNewSecond(state, before);
}

export class LiveMap {
  onLook: (view: ViewRequest) => void = () => undefined;
  #pane: MapPane | null = null;
  #hasView: boolean;
  #followed = "";
  readonly #container = Object.assign(document.createElement("div"), { id: "map" });
  readonly #tipElement = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  readonly #toast = Object.assign(document.createElement("div"), { className: "toast", hidden: true, role: "status" });
  readonly #tip = new Tip(this.#tipElement);
  #toastTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    stage: HTMLElement,
    private readonly store: Store,
    private readonly start: MapView | null,
    private readonly streetsUrl: string | null,
  ) {
    this.#hasView = start !== null;
    stage.append(this.#container, this.#tipElement, this.#toast);
  }

  /** Start the map; without WebGL 2 the page goes on with its boards. */
  open(): void {
    try {
      this.#pane = new MapPane(this.#container, this.store.state, this.start, {
        looked: () => this.#look(),
        chosen: (selection) => this.store.dispatch({ type: "select", selection }),
        hovered: (mark, x, y) => this.#tip.show(mark ? tipLines(this.store.state, mark) : [], x, y),
        dragged: () => {
          this.#hasView = true;
          this.store.dispatch({ type: "follow", isFollowing: false });
        },
      });
    } catch (error) {
      console.warn("map:", error);
      this.#container.append(Object.assign(document.createElement("p"), { className: "map-failed", textContent: texts.map.failed }));
    }
    this.store.subscribe((state, before) => {
      if (mustDraw(state, before)) this.#pane?.update(state);
      if (!this.#hasView && hasNewSecond(state, before)) this.#showArea();
      if (state.isFollowing) this.#followSelection();
      else this.#followed = "";
    });
    void this.#fetchStreets();
  }

  get isDrawn(): boolean {
    return this.#pane?.isDrawn ?? false;
  }

  /** The server greeted: show the agencies' area unless the address named a view, and say what we look at. */
  greeted(): void {
    this.#showArea();
    this.#look();
  }

  home(): void {
    const box = wholeArea(this.store.state);
    if (box) this.#pane?.fit(box);
  }

  /** Until there is something to look at, the view is nobody's choice: a new agency's first calls and units bring the map to them. */
  #showArea(): void {
    if (this.#hasView || !wholeArea(this.store.state)) return;
    this.#hasView = true;
    this.home();
  }

  zoomBy(steps: number): void {
    this.#pane?.zoomBy(steps);
  }

  choose(selection: Selection): void {
    this.store.dispatch({ type: "select", selection });
    const place = this.#placeOf(selection);
    if (place && !this.#isInView(place)) this.#pane?.center(place);
    if (!place) this.centerSelection();
  }

  centerSelection(): void {
    const { selection, features } = this.store.state;
    if (!selection) return;
    const place = this.#placeOf(selection);
    if (place) this.#pane?.center(place);
    const found = findFeature(features, selection.layer, selection.id);
    const box = found && selection.layer !== "calls" ? boxOf(polygonsOf(found)) : null;
    if (box) this.#pane?.fit(box);
  }

  /** Show a place that someone looked for; what is only roughly known is shown whole. */
  goTo(found: FoundPlace): void {
    this.store.dispatch({ type: "select", selection: null });
    this.store.dispatch({ type: "find", found });
    this.#hasView = true;
    if (found.sizeM < SHOWN_WHOLE_M) this.#pane?.center(found.place);
    else this.#pane?.fit(boxAround(found.place, found.sizeM));
  }

  go(view: MapView): void {
    this.#hasView = true;
    this.#pane?.go(view);
  }

  address(): string {
    const { hidden, opacity, selection, board } = this.store.state;
    const view = this.#hasView ? (this.#pane?.view ?? null) : null;
    return writeAddress({ view, hidden: [...hidden], opacity, selection, board });
  }

  say(words: string): void {
    clearTimeout(this.#toastTimer);
    Object.assign(this.#toast, { textContent: words, hidden: false });
    this.#toastTimer = setTimeout(() => (this.#toast.hidden = true), TOAST_MS);
  }

  #look(): void {
    const { hello } = this.store.state;
    if (!hello) return;
    const bbox = this.#pane?.bbox ?? THE_WORLD;
    this.store.dispatch({ type: "look", bbox });
    this.onLook({ type: "view", bbox: [...bbox], zoom: this.#pane?.view.zoom ?? 8 });
  }

  #placeOf({ layer, id }: Selection): LngLat | null {
    if (layer === "units") return listUnits(this.store.state).find((unit) => unit.id === id)?.place ?? null;
    return layer === "calls" ? (openCalls(this.store.state).find((call) => call.id === id)?.place ?? null) : null;
  }

  #isInView([lon, lat]: LngLat): boolean {
    const [west, south, east, north] = this.#pane?.bbox ?? THE_WORLD;
    return lon >= west && lon <= east && lat >= south && lat <= north;
  }

  #followSelection(): void {
    const { selection } = this.store.state;
    const place = selection && this.#placeOf(selection);
    const view = this.#pane?.view;
    if (!place || !view || this.#followed === place.join()) return;
    this.#followed = place.join();
    this.#pane?.center(place, view.zoom);
  }

  async #fetchStreets(): Promise<void> {
    if (this.streetsUrl === null) return;
    const answer = await fetch(this.streetsUrl).catch(() => null);
    if (answer?.ok && (answer.headers.get("content-type") ?? "").includes("json")) this.#pane?.showStreets(await answer.json());
  }
}

