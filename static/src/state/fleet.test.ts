import { describe, expect, it } from "vitest";
import { tileX, tileY } from "../geometry/tiles";
import { reduce } from "./reduce";
import { frame, greeted, HELLO, introduceUnits, receive, T0, unit } from "./state.fixture";
import { listUnits } from "./units";

const HERE = { lon: -95.36, lat: 29.76 };
const TILE = [tileX(HERE.lon, 13), tileY(HERE.lat, 13)] as const;
const named = (count: number) => receive(introduceUnits(Array.from({ length: count }, (_, index) => unit(index + 1))));
const shown = (state: ReturnType<typeof greeted>) => listUnits(state).map((one) => one.callSign).sort();

describe("positions", () => {
  it("shows who was introduced, where the frame says, since when", () => {
    const state = greeted(named(1), frame([{ tile: TILE, records: [{ handle: 1, ...HERE, ageMs: 1500, status: 1 }] }]));
    expect(listUnits(state)[0]).toMatchObject({ id: 101, callSign: "4A1", place: [-95.36, 29.76], observedAt: T0 - 1500, meaning: "available" });
  });

  it("replaces all of a tile by a whole blob, and only of that tile and agency", () => {
    const state = greeted(
      named(3),
      frame([{ tile: TILE, records: [{ handle: 1, ...HERE }, { handle: 2, ...HERE }, { handle: 3, lon: -95.31, lat: 29.71 }] }]),
      frame([{ tile: TILE, whole: true, records: [{ handle: 2, ...HERE }] }]),
      frame([{ agency: 2, tile: TILE, whole: true, records: [] }]),
    );
    expect(shown(state)).toEqual(["4A2", "4A3"]);
  });

  it("keeps what a change does not name", () => {
    const state = greeted(named(2), frame([{ tile: TILE, records: [{ handle: 1, ...HERE }] }]), frame([{ tile: TILE, records: [{ handle: 2, ...HERE }] }]));
    expect(shown(state)).toEqual(["4A1", "4A2"]);
  });

  it("forgets a unit that left the watched tiles", () => {
    const state = greeted(named(1), frame([{ tile: TILE, records: [{ handle: 1, ...HERE }] }]), frame([{ tile: TILE, records: [{ handle: 1, lon: -94.9, lat: 29.76 }] }]));
    expect(shown(state)).toEqual([]);
  });

  it("takes a unit that crosses tiles once", () => {
    const next = { lon: -95.31, lat: 29.71 };
    const there = [tileX(next.lon, 13), tileY(next.lat, 13)] as const;
    const state = greeted(
      named(1),
      frame([{ tile: TILE, records: [{ handle: 1, ...HERE }] }]),
      frame([{ tile: TILE, records: [{ handle: 1, ...next }] }, { tile: there, records: [{ handle: 1, ...next }] }]),
      frame([{ tile: TILE, whole: true, records: [] }]),
    );
    expect(listUnits(state).map((one) => one.place)).toEqual([[-95.31, 29.71]]);
  });

  it("forgets what lies outside a new view", () => {
    const state = greeted(named(1), frame([{ tile: TILE, records: [{ handle: 1, ...HERE }] }]), { type: "look", bbox: [-94.9, 29.7, -94.8, 29.8] });
    expect(shown(state)).toEqual([]);
  });

  it("keeps everything of an agency that comes whole, until its tiles come again", () => {
    const far = { handle: 2, lon: -94.9, lat: 29.9 };
    const wide = greeted(named(2), frame([{ whole: true, records: [{ handle: 1, ...HERE }, far] }]));
    expect(shown(wide)).toEqual(["4A1", "4A2"]);
    const narrow = reduce(reduce(wide, { type: "look", bbox: [-95.4, 29.7, -95.3, 29.8] }), frame([{ tile: TILE, whole: true, records: [{ handle: 1, ...HERE }] }]));
    expect(shown(narrow)).toEqual(["4A1"]);
  });
});

describe("units", () => {
  it("draws the newest device of a call sign", () => {
    const both = [unit(1, { unit: "4A12" }), unit(2, { unit: "4A12" })];
    const state = greeted(receive(introduceUnits(both)), frame([{ records: [{ handle: 1, ...HERE, ageMs: 9000 }, { handle: 2, ...HERE, ageMs: 200 }] }]));
    expect(listUnits(state).map((one) => one.handle)).toEqual([2]);
  });

  it("draws of two devices of the same moment the one that the server names", () => {
    const both = [unit(1, { unit: "4A12", id: 9 }), unit(2, { unit: "4A12", id: 7 })];
    const state = greeted(receive(introduceUnits(both)), frame([{ records: [{ handle: 1, ...HERE, ageMs: 200 }, { handle: 2, ...HERE, ageMs: 200 }] }]));
    expect(listUnits(state).map((one) => one.id)).toEqual([7]);
  });

  it("keeps two agencies' equal call signs, and devices without one, apart", () => {
    const state = greeted(
      receive(introduceUnits([unit(1, { unit: "4A12" }), unit(3, { unit: null, name: "Drone" }), unit(4, { unit: null })])),
      receive(introduceUnits([unit(2, { unit: "4A12" })], 2)),
      frame([{ records: [1, 3, 4].map((handle) => ({ handle, ...HERE })) }, { agency: 2, records: [{ handle: 2, ...HERE }] }]),
    );
    expect(shown(state)).toEqual(["#104", "4A12", "4A12", "Drone"]);
  });

  it("takes a new name for a known handle", () => {
    const state = greeted(named(1), frame([{ records: [{ handle: 1, ...HERE }] }]), receive(introduceUnits([unit(1, { unit: "7B3" })])));
    expect(shown(state)).toEqual(["7B3"]);
  });

  it("knows since when a status is set only if it saw the change", () => {
    const before = greeted(named(1), frame([{ records: [{ handle: 1, ...HERE, status: 1 }] }]));
    const after = reduce(before, frame([{ records: [{ handle: 1, ...HERE, status: 2 }] }], T0 + 4000));
    const later = reduce(after, frame([{ records: [{ handle: 1, ...HERE, status: 2 }] }], T0 + 9000));
    expect(listUnits(before)[0]?.isSinceExact).toBe(false);
    expect(listUnits(later)[0]).toMatchObject({ isSinceExact: true, statusSince: T0 + 4000, meaning: "emergency" });
  });

  it("drops a withdrawn agency at once, and everything at a reset", () => {
    const full = greeted(named(1), frame([{ records: [{ handle: 1, ...HERE }] }]));
    expect(shown(reduce(full, receive({ seq: 3, type: "withdraw", layer: "units", agency: 1 })))).toEqual([]);
    const reset = reduce(full, receive({ seq: 3, type: "reset" }));
    expect(shown(reset)).toEqual([]);
    expect(shown(reduce(reset, frame([{ records: [{ handle: 1, ...HERE }] }])))).toEqual(["4A1"]);
    expect(shown(reduce(full, receive(HELLO)))).toEqual([]);
  });

  it("keeps all when the greeting comes again on the same connection, and reads the new profile", () => {
    const full = greeted(named(1), frame([{ records: [{ handle: 1, ...HERE, status: 1 }] }]));
    const [agency] = HELLO.agencies;
    const renamed = { ...agency!, statuses: [{ ...agency!.statuses[0]!, label: "Clear" }] };
    expect(listUnits(full)[0]?.status?.label).toBe("Available");
    expect(listUnits(reduce(full, receive({ ...HELLO, seq: 40, agencies: [renamed] })))[0]?.status?.label).toBe("Clear");
  });
});
