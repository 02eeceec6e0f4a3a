/** Fences and boundaries as the map draws them: areas, and one point for each name. */

import type { Feature as GeoFeature, FeatureCollection, Geometry, Position } from "geojson";
import { circleRing, labelPoint, type LngLat } from "../geometry/circle";
import type { OwnedFeature } from "../state/features";

type Polygons = LngLat[][][];

function readPolygons(geometry: Geometry | null): Polygons {
  if (geometry?.type === "Polygon") return [geometry.coordinates as unknown as LngLat[][]];
  if (geometry?.type === "MultiPolygon") return geometry.coordinates as unknown as Polygons;
  return [];
}

/** Return a fence's or boundary's polygons; a circle told as a center and a radius becomes a ring. */
export function polygonsOf({ feature }: OwnedFeature): Polygons {
  const { geometry, properties } = feature;
  if (geometry?.type !== "Point") return readPolygons(geometry);
  const radius = properties.radius_m;
  const [lon, lat] = geometry.coordinates as [number, number];
  return typeof radius === "number" && radius > 0 ? [[circleRing([lon, lat], radius)]] : [];
}

export function nameOf({ feature }: OwnedFeature): string {
  const { name, code, number } = feature.properties;
  return String(name ?? code ?? number ?? feature.id);
}

export type AreaLayer = "fences" | "boundaries";

/** A name on the map: in the middle of its area, `north` and `south` of it where the middle is taken. */
export interface AreaName {
  readonly layer: AreaLayer;
  readonly text: string;
  readonly middle: LngLat;
  readonly north: LngLat;
  readonly south: LngLat;
}

export interface DrawnAreas {
  readonly areas: FeatureCollection;
  readonly names: readonly AreaName[];
}

function nameArea(layer: AreaLayer, one: OwnedFeature, polygons: Polygons): AreaName | null {
  const middle = labelPoint(polygons);
  const box = boxOf(polygons);
  if (!middle || !box) return null;
  const lon = (box[0] + box[2]) / 2;
  return { layer, text: layer === "boundaries" ? nameOf(one).toUpperCase() : nameOf(one), middle, north: [lon, box[3]], south: [lon, box[1]] };
}

export function drawAreas(layer: AreaLayer, owned: readonly OwnedFeature[], selectedId: number | null): DrawnAreas {
  const features: GeoFeature[] = [];
  const names: AreaName[] = [];
  for (const one of owned) {
    const polygons = polygonsOf(one);
    const name = nameArea(layer, one, polygons);
    if (!name) continue;
    const { id } = one.feature;
    const coordinates = polygons as unknown as Position[][][];
    features.push({ type: "Feature", id, geometry: { type: "MultiPolygon", coordinates }, properties: { id, isSelected: id === selectedId } });
    names.push(name);
  }
  return { areas: { type: "FeatureCollection", features }, names };
}

/** Return the box around polygons; null when there are none. */
export function boxOf(polygons: Polygons): [number, number, number, number] | null {
  const points = polygons.flat(2);
  if (points.length === 0) return null;
  const lons = points.map((point) => point[0]);
  const lats = points.map((point) => point[1]);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}
