/** Web Mercator tiles of a fixed zoom: the pieces in which positions are streamed. */

export type BoundingBox = readonly [west: number, south: number, east: number, north: number];

export interface TileRange {
  readonly zoom: number;
  readonly minX: number;
  readonly maxX: number;
  readonly minY: number;
  readonly maxY: number;
}

/** Mercator's latitude limit: atan(sinh(pi)). */
export const MAX_LATITUDE_DEG = 85.0511287798066;

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Return the tile column of a longitude in degrees. */
export function tileX(lon: number, zoom: number): number {
  const count = 2 ** zoom;
  return clamp(Math.floor(((lon + 180) / 360) * count), 0, count - 1);
}

/** Return the tile row of a latitude in degrees; row 0 is the northernmost. */
export function tileY(lat: number, zoom: number): number {
  const count = 2 ** zoom;
  const phi = (clamp(lat, -MAX_LATITUDE_DEG, MAX_LATITUDE_DEG) * Math.PI) / 180;
  const fraction = (1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2;
  return clamp(Math.floor(fraction * count), 0, count - 1);
}

/** Return the tiles that a box touches. A box over the antimeridian is cut at it. */
export function tileRange(box: BoundingBox, zoom: number): TileRange {
  const [west, south, east, north] = box;
  return { zoom, minX: tileX(west, zoom), maxX: tileX(east, zoom), minY: tileY(north, zoom), maxY: tileY(south, zoom) };
}

export function isTileInRange(x: number, y: number, range: TileRange): boolean {
  return x >= range.minX && x <= range.maxX && y >= range.minY && y <= range.maxY;
}

export function isPointInRange(lon: number, lat: number, range: TileRange): boolean {
  return isTileInRange(tileX(lon, range.zoom), tileY(lat, range.zoom), range);
}
