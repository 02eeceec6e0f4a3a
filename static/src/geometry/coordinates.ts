/** Coordinates as people type them: decimal degrees, degrees and minutes, degrees minutes and seconds, grid references. */

import { distanceM, type LngLat } from "./circle";
import { parseGridReference } from "./mgrs";

const NUMBER = String.raw`\d+(?:\.\d+)?`;
const ANGLE = new RegExp(
  String.raw`^([NSEW])?\s*([+-])?(${NUMBER})\s*[°ºd:]?(?:\s*(${NUMBER})\s*['′’m:]?)?(?:\s*(${NUMBER})\s*(?:"|″|”|''|s)?)?\s*([NSEW])?$`,
  "i",
);
const METERS_PER_DEGREE = 111_195;

/** How it was written. `order` is told where the letters of the winds do not say which is which. */
export type Notation = "DD" | "DDM" | "DMS" | "MGRS";
export type AxisOrder = "lat_lon" | "lon_lat";

export interface Reading {
  readonly notation: Notation;
  readonly order: AxisOrder | null;
  readonly place: LngLat;
  /** About how far the last figure reaches, in meters. */
  readonly precisionM: number;
  /** How the page writes it. */
  readonly text: string;
}

interface Angle {
  readonly degrees: number;
  readonly axis: "lat" | "lon" | null;
  readonly notation: Notation;
  /** The size of the last figure, in degrees. */
  readonly stepDeg: number;
}

const decimals = (figures: string): number => figures.split(".")[1]?.length ?? 0;

function parseAngle(text: string): Angle | null {
  const match = ANGLE.exec(text.trim());
  if (!match) return null;
  const [, before, sign, degrees = "", minutes, seconds, after] = match;
  const letter = (before ?? after ?? "").toUpperCase();
  if (before && after) return null;
  if (Number(minutes ?? 0) >= 60 || Number(seconds ?? 0) >= 60 || (sign && letter)) return null;
  const size = Number(degrees) + Number(minutes ?? 0) / 60 + Number(seconds ?? 0) / 3600;
  const isNegative = sign === "-" || letter === "S" || letter === "W";
  const [notation, last, unit] = seconds ? (["DMS", seconds, 3600] as const) : minutes ? (["DDM", minutes, 60] as const) : (["DD", degrees, 1] as const);
  const axis = letter === "" ? null : "NS".includes(letter) ? "lat" : "lon";
  return { degrees: isNegative ? -size : size, axis, notation, stepDeg: 10 ** -decimals(last) / unit };
}

/** Cut the text in two at a comma, after the first letter of a wind, or at the only space. */
function halves(text: string): [string, string] | null {
  const byComma = text.split(/[,;]/);
  if (byComma.length === 2) return byComma as [string, string];
  const leading = /^([NSEW][^NSEW]+)([NSEW].+)$/i.exec(text);
  const trailing = /^([^NSEW]+[NSEW])\s*([^NSEW]+[NSEW])$/i.exec(text);
  const plain = /^(\S+)\s+(\S+)$/.exec(text);
  const found = leading ?? trailing ?? plain;
  return found ? [found[1] as string, found[2] as string] : null;
}

/** Round to one figure, so that nobody reads more into it. */
function roughly(meters: number): number {
  const power = 10 ** Math.floor(Math.log10(meters));
  return Math.max(1, Math.round(meters / power) * power);
}

function reading(lat: Angle, lon: Angle, order: AxisOrder | null): Reading[] {
  if (Math.abs(lat.degrees) > 90 || Math.abs(lon.degrees) > 180) return [];
  const place: LngLat = [lon.degrees, lat.degrees];
  const precisionM = roughly(Math.max(lat.stepDeg, lon.stepDeg) * METERS_PER_DEGREE);
  return [{ notation: lat.notation, order, place, precisionM, text: formatCoordinate(place) }];
}

function readAngles(text: string): Reading[] {
  const parts = halves(text);
  const first = parts && parseAngle(parts[0]);
  const second = parts && parseAngle(parts[1]);
  if (!first || !second || (first.axis !== null && first.axis === second.axis)) return [];
  if (first.axis === "lat" || second.axis === "lon") return reading(first, second, null);
  if (first.axis === "lon" || second.axis === "lat") return reading(second, first, null);
  return [...reading(first, second, "lat_lon"), ...reading(second, first, "lon_lat")];
}

/** Return what a text can mean as a place, none when it is no coordinate. Latitude comes first where the letters leave it
 * open; the other order stands before it when only that one lies within 500 km of `near`. */
export function readCoordinate(typed: string, near: LngLat | null = null): Reading[] {
  const grid = parseGridReference(typed);
  if (grid) return [{ notation: "MGRS", order: null, place: grid.place, precisionM: grid.sizeM, text: grid.text }];
  const readings = readAngles(typed.trim());
  const isFar = ({ place }: Reading): boolean => near !== null && distanceM(near, place) > 500_000;
  return readings.some((one) => !isFar(one)) ? readings.sort((a, b) => Number(isFar(a)) - Number(isFar(b))) : readings;
}

/** Show a point in decimal degrees, latitude first, to about a meter. */
export function formatCoordinate([lon, lat]: LngLat): string {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}
