import { describe, expect, it } from "vitest";
import { reduce } from "../state/reduce";
import { call, frame, greeted, heartbeat, introduceUnits, REAL0, receive, T0, unit } from "../state/state.fixture";
import { marksOf } from "./marks";

const state = greeted(
  heartbeat(T0, REAL0),
  receive(introduceUnits([unit(1), unit(2), unit(3)])),
  frame([{ records: [
    { handle: 1, lon: -95.36, lat: 29.76, heading: 64, status: 1 },
    { handle: 2, lon: -95.35, lat: 29.76, ageMs: 25_000, flags: 0, status: 1 },
    { handle: 3, lon: -95.34, lat: 29.76, ageMs: 360_000, status: 2 },
  ] }]),
  receive({ seq: 3, type: "snapshot", layer: "calls", agency: 1, rev: 1, features: [call(5, { rank: 0, priority: "1", uncertainty_m: 30 }), call(6, {}, null), call(7, { state: "closed" })] }),
);

describe("marks", () => {
  it("draws open calls that have a place, under the units", () => {
    expect(marksOf(state).map((mark) => `${mark.layer}:${mark.id}`)).toEqual(["calls:5", "units:101", "units:102", "units:103"]);
  });

  it("points where a unit heads, if it said so", () => {
    const [, first, second] = marksOf(state);
    expect([first?.headingDeg, first?.pointer, second?.pointer]).toEqual([90, "pointer|available|fresh", null]);
  });

  it("fades a layer, but never what is selected or in emergency", () => {
    const faint = reduce(reduce(state, { type: "opacity", layer: "units", percent: 40 }), { type: "opacity", layer: "calls", percent: 60 });
    expect(marksOf(faint).map((mark) => mark.opacity)).toEqual([0.6, 0.4, 0.4, 1]);
    const chosen = reduce(reduce(faint, { type: "select", selection: { layer: "units", id: 101 } }), { type: "tick", real: REAL0 });
    expect(marksOf(chosen).map((mark) => mark.opacity)).toEqual([0.6, 1, 0.4, 1]);
  });

  it("dims late units and says since when hollow ones are silent", () => {
    const [, , late, hollow] = marksOf(state);
    expect(late?.icon).toBe("unit|available|A|late");
    expect(hollow).toMatchObject({ icon: "unit|emergency|!|hollow", label: "4A3\nlast seen 14:26:05, 6 min", isEmergency: true, urgency: 1 });
  });

  it("shows the uncertainty of the selected call only", () => {
    const chosen = reduce(state, { type: "select", selection: { layer: "calls", id: 5 } });
    expect([marksOf(state)[0]?.uncertaintyM, marksOf(chosen)[0]?.uncertaintyM]).toEqual([null, 30]);
  });

  it("leaves hidden layers out", () => {
    expect(marksOf(reduce(state, { type: "hide_layers", layers: ["units", "calls"] }))).toEqual([]);
  });
});
