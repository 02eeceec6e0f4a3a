/** What moves: who the handles are, and where they are now. */

import { ALL_TILES, type Blob, type Frame, type PositionRecord, recordAt } from "../feed/frames";
import type { Introduce, IntroducedUnit } from "../feed/messages";
import { isPointInRange, type TileRange, tileX, tileY } from "../geometry/tiles";
import type { Fleet, Introduced, Position } from "./model";

/** A device without a call sign stands for itself. */
const keyOf = (unit: IntroducedUnit, agency: number): string => (unit.unit === null ? `#${unit.handle}` : `${agency}:${unit.unit}`);

export function introduce(fleet: Fleet, message: Introduce): Fleet {
  const introduced = new Map(fleet.introduced);
  for (const unit of message.units) introduced.set(unit.handle, { ...unit, agency: message.agency, key: keyOf(unit, message.agency) });
  return { ...fleet, introduced };
}

function without<T extends { readonly agency: number }>(map: ReadonlyMap<number, T>, agency: number): Map<number, T> {
  return new Map([...map].filter(([, value]) => value.agency !== agency));
}

/** Forget an agency: who its units are and where. */
export function withdrawAgency(fleet: Fleet, agency: number): Fleet {
  const whole = new Set([...fleet.whole].filter((id) => id !== agency));
  return { ...fleet, whole, introduced: without(fleet.introduced, agency), positions: without(fleet.positions, agency) };
}

/** Forget where everything is; the names stay, since a handle is introduced once a connection. */
export function resetPositions(fleet: Fleet): Fleet {
  return { ...fleet, positions: new Map(), whole: new Set() };
}

function positionOf(record: PositionRecord, agency: number, now: number, before: Position | undefined): Position {
  const observedAt = now - record.ageMs;
  const isSame = before?.status === record.status;
  return {
    handle: record.handle,
    agency,
    lon: record.lon,
    lat: record.lat,
    headingDeg: record.headingDeg,
    speedMps: record.speedMps,
    status: record.status,
    isClockOff: record.isClockOff,
    observedAt,
    statusSince: before && isSame ? before.statusSince : observedAt,
    isSinceExact: before !== undefined && (isSame ? before.isSinceExact : true),
  };
}

function isInBlob(position: Position, blob: Blob, zoom: number): boolean {
  if (position.agency !== blob.agency) return false;
  if (isAllTiles(blob)) return true;
  return tileX(position.lon, zoom) === blob.tileX && tileY(position.lat, zoom) === blob.tileY;
}

const isAllTiles = (blob: Blob): boolean => blob.tileX === ALL_TILES && blob.tileY === ALL_TILES;

function applyBlob(positions: Map<number, Position>, blob: Blob, now: number, watched: TileRange | null): void {
  const limits = isAllTiles(blob) ? null : watched;
  const seen = new Set<number>();
  for (let index = 0; index < blob.count; index += 1) {
    const record = recordAt(blob, index);
    seen.add(record.handle);
    if (limits && !isPointInRange(record.lon, record.lat, limits)) positions.delete(record.handle);
    else positions.set(record.handle, positionOf(record, blob.agency, now, positions.get(record.handle)));
  }
  if (!blob.isWhole || !watched) return;
  for (const [handle, position] of positions) {
    if (!seen.has(handle) && isInBlob(position, blob, watched.zoom)) positions.delete(handle);
  }
}

/** Apply a frame. A record outside every watched tile left; a whole blob replaces what its tile had. */
export function applyFrame(fleet: Fleet, frame: Frame): Fleet {
  const positions = new Map(fleet.positions);
  const whole = new Set(fleet.whole);
  for (const blob of frame.blobs) {
    applyBlob(positions, blob, frame.now, fleet.watched);
    if (isAllTiles(blob)) whole.add(blob.agency);
    else whole.delete(blob.agency);
  }
  const next = { ...fleet, positions, whole };
  const isNarrower = [...fleet.whole].some((agency) => !whole.has(agency));
  return isNarrower ? forgetUnwatched(next) : next;
}

/** Watch other tiles: what lies outside them is no longer told to us, so it must not stay on the map. */
export function watch(fleet: Fleet, watched: TileRange): Fleet {
  return forgetUnwatched({ ...fleet, watched });
}

function forgetUnwatched(fleet: Fleet): Fleet {
  const { watched, whole } = fleet;
  if (!watched) return fleet;
  const kept = [...fleet.positions].filter(([, { agency, lon, lat }]) => whole.has(agency) || isPointInRange(lon, lat, watched));
  return kept.length === fleet.positions.size ? fleet : { ...fleet, positions: new Map(kept) };
}

export interface DrawnUnit {
  readonly who: Introduced;
  readonly at: Position;
}

const isNewer = (one: DrawnUnit, other: DrawnUnit): boolean => one.at.observedAt > other.at.observedAt || (one.at.observedAt === other.at.observedAt && one.who.id < other.who.id);

/** Return one entry a unit: its newest device, of equals the one of the lowest id, as the server's `is_newest` has it. */
export function drawnUnits(fleet: Fleet): DrawnUnit[] {
  const newest = new Map<string, DrawnUnit>();
  for (const at of fleet.positions.values()) {
    const who = fleet.introduced.get(at.handle);
    if (!who) continue;
    const [one, other] = [{ who, at }, newest.get(who.key)];
    if (!other || isNewer(one, other)) newest.set(who.key, one);
  }
  return [...newest.values()];
}
