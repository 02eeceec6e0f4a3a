/** Grid references: USNG and MGRS on WGS 84, as `15R TN 70857 94589`, with or without spaces. The poles have another grid. */

import type { LngLat } from "./circle";
import { fromUtm } from "./utm";

const BANDS = "CDEFGHJKLMNPQRSTUVWX";
const ROWS = "ABCDEFGHJKLMNPQRSTUV";
/** Letters of the columns: three sets in turn, each from 100 km to 800 km. */
const COLUMNS = ["ABCDEFGH", "JKLMNPQR", "STUVWXYZ"] as const;
const SQUARE_M = 100_000;
const CYCLE_M = ROWS.length * SQUARE_M;
/** A square may reach over the edge of its band. */
const BAND_SLACK_DEG = 0.1;
const REFERENCE = /^(\d{1,2})\s*([C-HJ-NP-X])\s*([A-HJ-NP-Z])([A-HJ-NP-V])\s*(\d{1,10}|\d{1,5}\s+\d{1,5})$/i;

export interface GridReference {
  /** As it is written: zone and band, square, easting, northing. */
  readonly text: string;
  /** The middle of the square that it names. */
  readonly place: LngLat;
  /** The side of that square, in meters: 1 for ten figures, 10,000 for two. */
  readonly sizeM: number;
}

interface Square {
  readonly zone: number;
  readonly band: number;
  readonly eastingM: number;
  /** Within the cycle of rows. */
  readonly northingM: number;
}

function squareOf(zone: number, band: string, column: string, row: string): Square | null {
  const isOnGrid = zone >= 1 && zone <= 60 && !(band === "X" && [32, 34, 36].includes(zone));
  const at = COLUMNS[(zone - 1) % 3]?.indexOf(column) ?? -1;
  if (!isOnGrid || at < 0) return null;
  const shift = zone % 2 === 0 ? 5 : 0;
  const northingM = ((ROWS.indexOf(row) - shift + ROWS.length) % ROWS.length) * SQUARE_M;
  return { zone, band: BANDS.indexOf(band), eastingM: (at + 1) * SQUARE_M, northingM };
}

/** Rows repeat every 2,000 km; the band says which of them is meant. */
function placeIn({ zone, band, eastingM, northingM }: Square): LngLat | null {
  const south = -80 + 8 * band;
  const north = band === BANDS.length - 1 ? 84 : south + 8;
  for (let cycle = 0; cycle < 5; cycle += 1) {
    const place = fromUtm(zone, south < 0, eastingM, northingM + cycle * CYCLE_M);
    if (place[1] >= south - BAND_SLACK_DEG && place[1] <= north + BAND_SLACK_DEG) return place;
  }
  return null;
}

/** Cut the figures into easting and northing of equal length. */
function figures(text: string): readonly [string, string] | null {
  const [east = "", north = ""] = /\s/.test(text) ? text.split(/\s+/) : [text.slice(0, text.length / 2), text.slice(text.length / 2)];
  return east.length === north.length ? [east, north] : null;
}

/** Read a grid reference of two to ten figures. Returns null for anything else, and for squares that do not exist. */
export function parseGridReference(typed: string): GridReference | null {
  const match = REFERENCE.exec(typed.trim());
  if (!match) return null;
  const [zone, band, column, row, digits] = match.slice(1).map((part) => part.toUpperCase()) as [string, string, string, string, string];
  const pair = figures(digits);
  const square = squareOf(Number(zone), band, column, row);
  if (!pair || !square) return null;
  const sizeM = 10 ** (5 - pair[0].length);
  const [east, north] = pair.map((part) => (Number(part) + 0.5) * sizeM) as [number, number];
  const place = placeIn({ ...square, eastingM: square.eastingM + east, northingM: square.northingM + north });
  return place && { text: `${Number(zone)}${band} ${column}${row} ${pair.join(" ")}`, place, sizeM };
}
