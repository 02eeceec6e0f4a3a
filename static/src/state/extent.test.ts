import { describe, expect, it } from "vitest";
import { wholeArea } from "./extent";
import { call, greeted, HELLO, play, receive } from "./state.fixture";

const at = (id: number, lon: number, lat: number) => call(id, {}, { type: "Point", coordinates: [lon, lat] });
const calls = receive({ seq: 3, type: "snapshot", layer: "calls", agency: 1, rev: 1, features: [at(1, -95.5, 29.6), at(2, -95.2, 29.9), call(3, {}, null)] });

describe("the whole area", () => {
  it("is nowhere as long as nothing is known", () => {
    expect([wholeArea(play()), wholeArea(greeted())]).toEqual([null, null]);
  });

  it("is around what is there when an agency has no area", () => {
    expect(wholeArea(greeted(calls))).toEqual([-95.5, 29.6, -95.2, 29.9]);
  });

  it("is that of all agencies that have one", () => {
    const [one] = HELLO.agencies;
    const agencies = [{ ...one!, extent: [-96, 29, -95, 30] as const }, { ...one!, id: 2, extent: [-95.5, 28, -94, 29.5] as const }];
    expect(wholeArea(greeted(receive({ ...HELLO, seq: 2, agencies }), calls))).toEqual([-96, 28, -94, 30]);
  });
});
