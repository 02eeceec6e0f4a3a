/** Messages as the server sends them, for tests. */

import { decodeFrame } from "../feed/frames";
import { type WrittenBlob, writeFrame } from "../feed/frames.fixture";
import type { Feature, Hello, IntroducedUnit, ServerMessage } from "../feed/messages";
import { type Action, initialState, type State } from "./model";
import { reduce } from "./reduce";

export const T0 = Date.UTC(2026, 10, 22, 20, 32, 5);
export const REAL0 = 5_000_000;

export const HELLO: Hello = {
  seq: 1,
  type: "hello",
  protocol: "rtcc.live.v1",
  instance: { kind: "demo", origins: ["simulated"] },
  clock: { now: T0, speed: 1 },
  tile_zoom: 13,
  heartbeat_s: 1,
  member: { username: "alex", name: "Alex", roles: ["dispatcher"] },
  agencies: [
    {
      id: 1,
      slug: "hpd",
      name: "Houston",
      time_zone: "America/Chicago",
      units: { length: "ft", distance: "mi", speed: "mph" },
      extent: null,
      statuses: [
        { number: 1, code: "AVL", label: "Available", letter: "A", meaning: "available" },
        { number: 2, code: "EMR", label: "Emergency", letter: "!", meaning: "emergency" },
      ],
      priorities: [{ code: "1", label: "Life", rank: 0 }],
    },
  ],
  layers: [],
};

export const unit = (handle: number, more: Partial<IntroducedUnit> = {}): IntroducedUnit => ({
  handle, id: handle + 100, unit: `4A${handle}`, name: null, kind: "car", origin: "simulated", source: "patrol", interval_s: 10, ...more,
});

export const introduceUnits = (units: IntroducedUnit[], agency = 1): ServerMessage => ({ seq: 2, type: "introduce", layer: "units", agency, units });

export function call(id: number, properties: Record<string, unknown> = {}, geometry: Feature["geometry"] = { type: "Point", coordinates: [-95.36, 29.76] }): Feature {
  return { type: "Feature", id, geometry, properties: { number: `H-${id}`, state: "waiting", rank: 2, priority: "3", opened_at: new Date(T0 - id * 60_000).toISOString(), units: [], ...properties } };
}

export const receive = (message: ServerMessage, real = REAL0): Action => ({ type: "message", message, real });
export const frame = (blobs: WrittenBlob[], now = T0): Action => ({ type: "frame", frame: decodeFrame(writeFrame(blobs, 1, now)) });
export const heartbeat = (now: number, real: number, more: object = {}): Action =>
  receive({ seq: 9, type: "heartbeat", now, speed: 1, counts: {}, unlocated: {}, feeds: [], ...more }, real);

export function play(...actions: Action[]): State {
  return actions.reduce(reduce, initialState(REAL0));
}

/** A page that was greeted and looks at downtown. */
export const greeted = (...actions: Action[]): State => play(receive(HELLO), { type: "look", bbox: [-95.4, 29.7, -95.3, 29.8] }, ...actions);
