import { expect, it } from "vitest";
import { unrealOrigins } from "./origins";
import { reduce } from "./reduce";
import { call, greeted, HELLO, heartbeat, introduceUnits, play, REAL0, receive, T0, unit } from "./state.fixture";

const feed = (origin: "live" | "replayed") => ({ source: "a", name: "A", agency: 1, layer: "units", origin, last_message_at: T0, interval_s: 10, rejects_hour: 0 });

it("does not call an empty operational instance an exercise", () => {
  expect(unrealOrigins(play(receive({ ...HELLO, instance: { kind: "operational", origins: ["exercise", "live"] } })))).toEqual([]);
});

it("names what a demonstration may show until something is there", () => {
  expect(unrealOrigins(play())).toEqual([]);
  expect(unrealOrigins(play(receive({ ...HELLO, instance: { kind: "demo", origins: ["replayed", "simulated"] } })))).toEqual(["simulated", "replayed"]);
});

it("names what is there: of feeds, units and calls", () => {
  const replay = greeted(heartbeat(T0, REAL0, { feeds: [feed("replayed")] }));
  expect(unrealOrigins(replay)).toEqual(["replayed"]);
  const both = reduce(replay, receive(introduceUnits([unit(1)])));
  expect(unrealOrigins(both)).toEqual(["simulated", "replayed"]);
  const calls = reduce(replay, receive({ seq: 3, type: "snapshot", layer: "calls", agency: 1, rev: 1, features: [call(1, { origin: "exercise" })] }));
  expect(unrealOrigins(calls)).toEqual(["exercise", "replayed"]);
});

it("is silent about live data", () => {
  expect(unrealOrigins(greeted(heartbeat(T0, REAL0, { feeds: [feed("live")] })))).toEqual([]);
});
