/** The base map: gray ground, optional streets, boundaries and fences. No glyphs and no sprites: nothing is fetched for it. */

import type { FeatureCollection } from "geojson";
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";

export const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

/** Fill of what is selected, and of the rest. */
const FILL = { boundaries: [0.12, 0], fences: [0.22, 0.06] } as const;
const unlessSelected = (selected: number, rest: number): ExpressionSpecification => ["case", ["get", "isSelected"], selected, rest];
const fillOf = (layer: keyof typeof FILL, opacity: number): ExpressionSpecification => unlessSelected(FILL[layer][0], FILL[layer][1] * opacity);

const boundaryLayers: LayerSpecification[] = [
  { id: "boundaries-area", type: "fill", source: "boundaries", paint: { "fill-color": "#9fb0bf", "fill-opacity": fillOf("boundaries", 1) } },
  { id: "boundaries-line", type: "line", source: "boundaries", paint: {
    "line-color": ["case", ["get", "isSelected"], "#ffffff", "#6b7884"],
    "line-width": ["case", ["get", "isSelected"], 2, 1],
    "line-dasharray": [4, 3],
  } },
];

const fenceLayers: LayerSpecification[] = [
  { id: "fences-area", type: "fill", source: "fences", paint: { "fill-color": "#4fc3a1", "fill-opacity": fillOf("fences", 1) } },
  { id: "fences-line", type: "line", source: "fences", paint: {
    "line-color": ["case", ["get", "isSelected"], "#ffffff", "#4fc3a1"],
    "line-width": ["case", ["get", "isSelected"], 3, 1.75],
  } },
];

const streetLayers: LayerSpecification[] = [
  { id: "streets", type: "line", source: "streets", layout: { "line-cap": "round", "line-join": "round" }, paint: {
    "line-color": "#39424b", "line-width": ["interpolate", ["linear"], ["zoom"], 9, 0.4, 13, 1, 16, 3],
  } },
];

export const SOURCES = ["streets", "boundaries", "fences"] as const;
export const LAYERS_OF: Readonly<Record<"fences" | "boundaries", readonly string[]>> = {
  boundaries: boundaryLayers.map((layer) => layer.id),
  fences: fenceLayers.map((layer) => layer.id),
};

/** Return layer, property and value that draw areas at a share of their color, 0 to 1; what is selected stays as it is. */
export function areaPaint(layer: "fences" | "boundaries", opacity: number): [string, "fill-opacity" | "line-opacity", ExpressionSpecification][] {
  return [
    [`${layer}-area`, "fill-opacity", fillOf(layer, opacity)],
    [`${layer}-line`, "line-opacity", unlessSelected(1, opacity)],
  ];
}

export function baseStyle(): StyleSpecification {
  return {
    version: 8,
    sources: Object.fromEntries(SOURCES.map((name) => [name, { type: "geojson", data: NOTHING }])),
    layers: [{ id: "ground", type: "background", paint: { "background-color": "#20262c" } }, ...streetLayers, ...boundaryLayers, ...fenceLayers],
  };
}
