/** The page's address holds what is shown: `#12.50/29.76000/-95.37000&hide=boundaries&opacity=units:60&sel=calls:17&board=units`. */

import { LAYER_NAMES, type LayerName, type Opacities, type Selection } from "./model";
import { parseOpacities, writeOpacities } from "./opacity";

export interface MapView {
  readonly zoom: number;
  readonly lat: number;
  readonly lon: number;
}

export interface PageAddress {
  readonly view: MapView | null;
  readonly hidden: readonly string[];
  readonly opacity: Opacities;
  readonly selection: Selection | null;
  readonly board: "calls" | "units";
}

function parseView(text: string): MapView | null {
  const parts = text.split("/");
  const [zoom, lat, lon] = parts.map(Number) as [number, number, number];
  if (parts.length !== 3 || parts.some((part) => part === "") || ![zoom, lat, lon].every(Number.isFinite)) return null;
  return zoom >= 0 && zoom <= 24 && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { zoom, lat, lon } : null;
}

function parseSelection(text: string | null): Selection | null {
  const [layer, id] = (text ?? "").split(":");
  const isKnown = (LAYER_NAMES as readonly string[]).includes(layer ?? "");
  return isKnown && /^\d+$/.test(id ?? "") ? { layer: layer as LayerName, id: Number(id) } : null;
}

export function parseAddress(hash: string): PageAddress {
  const [view = "", ...rest] = hash.replace(/^#/, "").split("&");
  const parameters = new URLSearchParams(rest.join("&"));
  return {
    view: parseView(view),
    hidden: (parameters.get("hide") ?? "").split(",").filter((name) => (LAYER_NAMES as readonly string[]).includes(name)),
    opacity: parseOpacities(parameters.get("opacity")),
    selection: parseSelection(parameters.get("sel")),
    board: parameters.get("board") === "units" ? "units" : "calls",
  };
}

export function writeAddress({ view, hidden, opacity, selection, board }: PageAddress): string {
  const parts = [view ? `${view.zoom.toFixed(2)}/${view.lat.toFixed(5)}/${view.lon.toFixed(5)}` : ""];
  if (hidden.length > 0) parts.push(`hide=${hidden.join(",")}`);
  const faint = writeOpacities(opacity);
  if (faint) parts.push(`opacity=${faint}`);
  if (selection) parts.push(`sel=${selection.layer}:${selection.id}`);
  if (board !== "calls") parts.push(`board=${board}`);
  return `#${parts.join("&")}`;
}
