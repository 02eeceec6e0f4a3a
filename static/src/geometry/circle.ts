/** Circles and label points on the globe. */

export type LngLat = readonly [lon: number, lat: number];
export type Ring = LngLat[];

/** Mean radius of the earth in meters (IUGG R1). */
export const EARTH_RADIUS_M = 6_371_008.8;

const toRadians = (degrees: number): number => (degrees * Math.PI) / 180;
const toDegrees = (radians: number): number => (radians * 180) / Math.PI;

/** Return the point at a distance in meters and a bearing in degrees (the direct problem on a sphere). */
export function destination(from: LngLat, bearingDeg: number, distanceM: number): LngLat {
  const angle = distanceM / EARTH_RADIUS_M;
  const bearing = toRadians(bearingDeg);
  const lat = toRadians(from[1]);
  const sinLat = Math.sin(lat) * Math.cos(angle) + Math.cos(lat) * Math.sin(angle) * Math.cos(bearing);
  const east = Math.sin(bearing) * Math.sin(angle) * Math.cos(lat);
  const turn = Math.atan2(east, Math.cos(angle) - Math.sin(lat) * sinLat);
  return [from[0] + toDegrees(turn), toDegrees(Math.asin(sinLat))];
}

/** Return a closed ring of `corners` points around a center. */
export function circleRing(center: LngLat, radiusM: number, corners = 72): Ring {
  const ring = Array.from({ length: corners }, (_, index) => destination(center, (index * 360) / corners, radiusM));
  return [...ring, ring[0] as LngLat];
}

/** Return the box west, south, east, north around a square of `sizeM` meters a side. */
export function boxAround(middle: LngLat, sizeM: number): [number, number, number, number] {
  const [north, east, south, west] = [0, 90, 180, 270].map((bearing) => destination(middle, bearing, sizeM / 2)) as [LngLat, LngLat, LngLat, LngLat];
  return [west[0], south[1], east[0], north[1]];
}

/** Return the great-circle distance in meters (haversine). */
export function distanceM(a: LngLat, b: LngLat): number {
  const halfLat = toRadians(b[1] - a[1]) / 2;
  const halfLon = toRadians(b[0] - a[0]) / 2;
  const square = Math.sin(halfLat) ** 2 + Math.cos(toRadians(a[1])) * Math.cos(toRadians(b[1])) * Math.sin(halfLon) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(square)));
}

/** Return twice the signed planar area of a closed ring, in square degrees. */
function doubleArea(ring: readonly LngLat[]): number {
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i += 1) {
    const [a, b] = [ring[i] as LngLat, ring[i + 1] as LngLat];
    sum += a[0] * b[1] - b[0] * a[1];
  }
  return sum;
}

/** Return the area centroid of a closed ring; a ring without area gives its first point. */
export function ringCentroid(ring: readonly LngLat[]): LngLat {
  const origin = ring[0] as LngLat;
  const local = ring.map(([lon, lat]): LngLat => [lon - origin[0], lat - origin[1]]);
  const area = doubleArea(local);
  if (area === 0) return origin;
  let [x, y] = [0, 0];
  for (let i = 0; i + 1 < local.length; i += 1) {
    const [a, b] = [local[i] as LngLat, local[i + 1] as LngLat];
    const cross = a[0] * b[1] - b[0] * a[1];
    x += (a[0] + b[0]) * cross;
    y += (a[1] + b[1]) * cross;
  }
  return [origin[0] + x / (3 * area), origin[1] + y / (3 * area)];
}

/** Return where a polygon's name goes: the centroid of the largest outer ring. */
export function labelPoint(polygons: readonly (readonly LngLat[][])[]): LngLat | null {
  const rings = polygons.flatMap((polygon) => (polygon[0] && polygon[0].length > 3 ? [polygon[0]] : []));
  const largest = rings.sort((a, b) => Math.abs(doubleArea(b)) - Math.abs(doubleArea(a)))[0];
  return largest ? ringCentroid(largest) : null;
}
