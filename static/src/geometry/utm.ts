/** Universal Transverse Mercator on WGS 84: from a zone's meters to degrees. */

import type { LngLat } from "./circle";

const EQUATOR_RADIUS_M = 6_378_137;
const FLATTENING = 1 / 298.257223563;
const SCALE = 0.9996;
const FALSE_EASTING_M = 500_000;
const FALSE_NORTHING_M = 10_000_000;

const n = FLATTENING / (2 - FLATTENING);
const MERIDIAN_M = (EQUATOR_RADIUS_M / (1 + n)) * (1 + n ** 2 / 4 + n ** 4 / 64);
/** From the plane to the conformal sphere; Krüger's series to the fourth order (Karney 2011, J. Geodesy 85, equation 36). */
const TO_SPHERE = [
  n / 2 - (2 * n ** 2) / 3 + (37 * n ** 3) / 96 - n ** 4 / 360,
  n ** 2 / 48 + n ** 3 / 15 - (437 * n ** 4) / 1440,
  (17 * n ** 3) / 480 - (37 * n ** 4) / 840,
  (4397 * n ** 4) / 161_280,
];
/** From the conformal to the geographic latitude (Krüger 1912, to the fourth order). */
const TO_LATITUDE = [
  2 * n - (2 * n ** 2) / 3 - 2 * n ** 3 + (116 * n ** 4) / 45,
  (7 * n ** 2) / 3 - (8 * n ** 3) / 5 - (227 * n ** 4) / 45,
  (56 * n ** 3) / 15 - (136 * n ** 4) / 35,
  (4279 * n ** 4) / 630,
];

const toDegrees = (radians: number): number => (radians * 180) / Math.PI;
const series = (factors: readonly number[], term: (twice: number) => number): number =>
  factors.reduce((sum, factor, index) => sum + factor * term(2 * (index + 1)), 0);

/** Return the place of an easting and a northing in meters, within a millimeter inside the zone (1 to 60). */
export function fromUtm(zone: number, isSouth: boolean, eastingM: number, northingM: number): LngLat {
  const up = (northingM - (isSouth ? FALSE_NORTHING_M : 0)) / (SCALE * MERIDIAN_M);
  const right = (eastingM - FALSE_EASTING_M) / (SCALE * MERIDIAN_M);
  const xi = up - series(TO_SPHERE, (twice) => Math.sin(twice * up) * Math.cosh(twice * right));
  const eta = right - series(TO_SPHERE, (twice) => Math.cos(twice * up) * Math.sinh(twice * right));
  const conformal = Math.asin(Math.sin(xi) / Math.cosh(eta));
  const lat = conformal + series(TO_LATITUDE, (twice) => Math.sin(twice * conformal));
  return [6 * zone - 183 + toDegrees(Math.atan2(Math.sinh(eta), Math.cos(xi))), toDegrees(lat)];
}
