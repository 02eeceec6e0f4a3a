/** The map: draws the state and reports where people look and click. Nothing outside this folder knows MapLibre or deck.gl. */

import { MapLibreOverlay } from "@deck.gl/maplibre";
import type { FeatureCollection } from "geojson";
import { type GeoJSONSource, Map as MapLibreMap, NavigationControl, ScaleControl, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import type { LngLat } from "../geometry/circle";
import type { LabelBox } from "../geometry/declutter";
import type { BoundingBox } from "../geometry/tiles";
import type { MapView } from "../state/address";
import { callsAndStatuses } from "./atlas";
import { type AreaLayer, type AreaName, drawAreas } from "./areas";
import { foundBox, foundLabel, type Label, layLabels, symbolScale } from "./labels";
import { type Mark, marksOf } from "./marks";
import { movingLayers } from "./moving";
import { nearestMark } from "./pick";
import { areaPaint, baseStyle, LAYERS_OF } from "./style";
import type { Atlas } from "./symbols";
import { lineWidth } from "./text";
import type { LayerName, Selection, State } from "../state/model";
import { featuresOf } from "../state/features";
import { opacityOf } from "../state/opacity";
import { texts } from "../texts";

setWorkerUrl(workerUrl);

export interface MapReports {
  looked(bbox: BoundingBox, view: MapView): void;
  chosen(selection: Selection | null): void;
  hovered(mark: Mark | null, x: number, y: number): void;
  dragged(): void;
}

/** Names that would only cover the map when it is seen from farther away. */
const NAMES_FROM_ZOOM = { units: 9, calls: 11.5, fences: 10, boundaries: 9.5 } as const;
/** Positions come up to ten times a second; eyes need fewer, and a desk without a graphics card can only do fewer. */
const DRAW_EVERY_MS = 200;
const AREA_LAYERS: readonly AreaLayer[] = ["fences", "boundaries"];
const WORLD: MapView = { zoom: 3, lat: 39, lon: -98 };

/** Where the scale, the zoom buttons and the word of the frame lie. */
function reservedBoxes(width: number, height: number): LabelBox[] {
  return [
    { left: 0, top: height - 48, width: 150, height: 48 },
    { left: width - 64, top: height - 100, width: 64, height: 100 },
    { left: width / 2 - 190, top: 0, width: 380, height: 34 },
  ];
}

export class Atlases {
  #atlas: Atlas | null = null;
  #key = "";

  of(state: State): Atlas {
    const { key, draw } = callsAndStatuses(state);
    if (!this.#atlas || key !== this.#key) this.#atlas = draw();
    this.#key = key;
    return this.#atlas;
  }
}

export class MapPane {
  readonly #map: MapLibreMap;
  readonly #overlay = new MapLibreOverlay({ interleaved: false, layers: [] });
  readonly #atlases = new Atlases();
  #state: State;
  #marks: readonly Mark[] = [];
  #drawn: { features: State["features"]; selection: Selection | null } | null = null;
  readonly #names: Record<AreaLayer, readonly AreaName[]> = { fences: [], boundaries: [] };
  readonly #faded: Record<AreaLayer, number> = { fences: 1, boundaries: 1 };
  #isScheduled = false;
  #drawnAt = 0;
  #isReady = false;
  #isDrawn = false;

  constructor(container: HTMLElement, state: State, start: MapView | null, private readonly reports: MapReports) {
    this.#state = state;
    const { zoom, lat, lon } = start ?? WORLD;
    this.#map = new MapLibreMap({
      container,
      style: baseStyle(),
      center: [lon, lat],
      zoom,
      minZoom: 2,
      maxZoom: 20,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      attributionControl: false,
      fadeDuration: 0,
      locale: { "Map.Title": texts.map.title, "NavigationControl.ZoomIn": texts.map.zoomIn, "NavigationControl.ZoomOut": texts.map.zoomOut },
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.keyboard.disableRotation();
    this.#map.addControl(this.#overlay);
    this.#map.addControl(new NavigationControl({ showCompass: false }), "bottom-right");
    this.#map.addControl(new ScaleControl({ unit: "imperial", maxWidth: 120 }), "bottom-left");
    this.#listen();
  }

  /** True once the map has drawn a state. */
  get isDrawn(): boolean {
    return this.#isReady && this.#isDrawn;
  }

  get view(): MapView {
    const { lng, lat } = this.#map.getCenter();
    return { zoom: this.#map.getZoom(), lat, lon: lng };
  }

  get bbox(): BoundingBox {
    const bounds = this.#map.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  }

  update(state: State): void {
    this.#state = state;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const wait = Math.max(0, this.#drawnAt + DRAW_EVERY_MS - performance.now());
    setTimeout(() => requestAnimationFrame(() => this.#drawScheduled()), wait);
  }

  showStreets(streets: FeatureCollection): void {
    this.#whenReady(() => (this.#map.getSource("streets") as GeoJSONSource).setData(streets));
  }

  fit(box: BoundingBox): void {
    const [west, south, east, north] = box;
    this.#map.fitBounds([[west, south], [east, north]], { padding: 48, maxZoom: 15, animate: false });
  }

  center([lon, lat]: LngLat, zoom: number = Math.max(this.#map.getZoom(), 14)): void {
    this.#map.jumpTo({ center: [lon, lat], zoom });
  }

  go({ zoom, lat, lon }: MapView): void {
    this.#map.jumpTo({ center: [lon, lat], zoom });
  }

  zoomBy(steps: number): void {
    this.#map.zoomTo(this.#map.getZoom() + steps, { duration: 150 });
  }

  #drawScheduled(): void {
    this.#isScheduled = false;
    this.#draw();
    this.#drawnAt = performance.now();
  }

  #whenReady(act: () => void): void {
    if (this.#isReady) act();
    else this.#map.once("load", act);
  }

  #listen(): void {
    const map = this.#map;
    map.on("load", () => {
      this.#isReady = true;
      this.#hideOverlay();
      this.update(this.#state);
    });
    map.on("moveend", () => this.reports.looked(this.bbox, this.view));
    map.on("move", () => this.update(this.#state));
    map.on("dragstart", () => this.reports.dragged());
    map.on("click", (event) => this.reports.chosen(this.#pick(event.point.x, event.point.y)));
    map.on("mousemove", (event) => this.#hover(event.point.x, event.point.y));
    map.on("mouseout", () => this.#hover(-100, -100));
  }

  /** The overlay only paints; keys and screen readers meet the map below it and the boards beside it. */
  #hideOverlay(): void {
    const canvas = this.#overlay.getCanvas();
    canvas?.setAttribute("tabindex", "-1");
    canvas?.setAttribute("aria-hidden", "true");
  }

  #markAt(x: number, y: number): Mark | null {
    return nearestMark(this.#marks, (one) => this.#map.project([one.lon, one.lat]), x, y, this.#scale);
  }

  get #scale(): number {
    return symbolScale(this.#map.getZoom());
  }

  /** A symbol first, then a fence by its area, then a boundary by its line: a click on open ground clears. */
  #pick(x: number, y: number): Selection | null {
    const mark = this.#markAt(x, y);
    if (mark) return { layer: mark.layer, id: mark.id };
    const near: [[number, number], [number, number]] = [[x - 5, y - 5], [x + 5, y + 5]];
    const [fence] = this.#map.queryRenderedFeatures([x, y], { layers: ["fences-area"] });
    const [boundary] = this.#map.queryRenderedFeatures(near, { layers: ["boundaries-line"] });
    const area = fence ?? boundary;
    return area ? { layer: area.source as LayerName, id: Number(area.properties.id) } : null;
  }

  #hover(x: number, y: number): void {
    const mark = this.#markAt(x, y);
    this.#map.getCanvas().style.cursor = mark ? "pointer" : "";
    this.reports.hovered(mark, x, y);
  }

  #draw(): void {
    if (!this.#isReady) return;
    this.#drawAreas();
    this.#marks = marksOf(this.#state);
    const { found } = this.#state;
    const labels = found ? [...this.#lay(), foundLabel(found)] : this.#lay();
    this.#overlay.setProps({ layers: movingLayers(this.#marks, labels, found, this.#atlases.of(this.#state), this.#scale) });
    this.#isDrawn = true;
  }

  #lay(): Label[] {
    const { clientWidth: width, clientHeight: height } = this.#map.getContainer();
    const zoom = this.#map.getZoom();
    const areas = AREA_LAYERS.filter((layer) => !this.#state.hidden.has(layer) && zoom >= NAMES_FROM_ZOOM[layer]).flatMap((layer) => this.#names[layer].map((name) => ({ ...name, opacity: opacityOf(this.#state, layer) })));
    const drawn = { project: (place: LngLat) => this.#map.project([...place]), measure: lineWidth };
    const { found } = this.#state;
    const reserved = [...reservedBoxes(width, height), ...(found ? [foundBox(found, drawn)] : [])];
    const screen = { width, height, scale: this.#scale, reserved, ...drawn };
    return layLabels(this.#marks, areas, screen, (mark) => mark.urgency <= 1 || zoom >= NAMES_FROM_ZOOM[mark.layer]);
  }

  #drawAreas(): void {
    const { features, selection, hidden } = this.#state;
    for (const layer of AREA_LAYERS) {
      for (const id of LAYERS_OF[layer]) this.#map.setLayoutProperty(id, "visibility", hidden.has(layer) ? "none" : "visible");
    }
    this.#fadeAreas();
    const before = this.#drawn;
    if (before && before.features === features && before.selection === selection) return;
    this.#drawn = { features, selection };
    for (const layer of AREA_LAYERS) this.#setAreas(layer);
  }

  #fadeAreas(): void {
    for (const layer of AREA_LAYERS) {
      const opacity = opacityOf(this.#state, layer);
      if (this.#faded[layer] === opacity) continue;
      this.#faded[layer] = opacity;
      for (const [id, name, value] of areaPaint(layer, opacity)) this.#map.setPaintProperty(id, name, value);
    }
  }

  #setAreas(layer: AreaLayer): void {
    const { features, selection } = this.#state;
    const { areas, names } = drawAreas(layer, featuresOf(features, layer), selection?.layer === layer ? selection.id : null);
    this.#names[layer] = names;
    (this.#map.getSource(layer) as GeoJSONSource).setData(areas);
  }
}
