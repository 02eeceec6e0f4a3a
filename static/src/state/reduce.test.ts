import { describe, expect, it } from "vitest";
import { reduce } from "./reduce";
import { report } from "./report";
import { call, frame, greeted, heartbeat, introduceUnits, play, REAL0, receive, T0, unit } from "./state.fixture";
import { Store } from "./store";
import { callsByUnit, countedUnits, listUnits, unitsBoard } from "./units";
import { openCalls } from "./calls";

describe("what people do", () => {
  it("shows and hides layers", () => {
    const hidden = reduce(play(), { type: "toggle_layer", layer: "fences" });
    expect([...hidden.hidden]).toEqual(["fences"]);
    expect(reduce(hidden, { type: "toggle_layer", layer: "fences" }).hidden.size).toBe(0);
  });

  it("follows only what is selected, and stops with the next selection", () => {
    expect(reduce(play(), { type: "follow", isFollowing: true }).isFollowing).toBe(false);
    const following = play({ type: "select", selection: { layer: "units", id: 1 } }, { type: "follow", isFollowing: true });
    expect(following.isFollowing).toBe(true);
    expect(reduce(following, { type: "select", selection: null })).toMatchObject({ isFollowing: false, selection: null });
  });

  it("changes nothing that it was given", () => {
    const before = greeted();
    const copy = structuredClone({ ...before, hello: null });
    reduce(before, { type: "toggle_layer", layer: "units" });
    reduce(before, receive(introduceUnits([unit(1)])));
    expect(structuredClone({ ...before, hello: null })).toEqual(copy);
  });

  it("tells listeners, until they leave", () => {
    const store = new Store(play());
    const heard: number[] = [];
    const leave = store.subscribe((state) => heard.push(state.real));
    store.dispatch({ type: "tick", real: 7 });
    leave();
    store.dispatch({ type: "tick", real: 8 });
    expect(heard).toEqual([7]);
  });
});

describe("the boards", () => {
  const filled = greeted(
    receive(introduceUnits([unit(10), unit(9), unit(3)])),
    frame([{ records: [{ handle: 10, lon: -95.36, lat: 29.76, status: 1 }, { handle: 9, lon: -95.36, lat: 29.76, status: 1 }, { handle: 3, lon: -95.36, lat: 29.76, status: 2 }] }]),
    receive({ seq: 4, type: "snapshot", layer: "calls", agency: 1, rev: 1, features: [call(1, { units: ["4A9"], state: "active" })] }),
    heartbeat(T0, REAL0, { counts: { units: { "1": 5, "2": 2 } }, unlocated: { "1": 1 } }),
  );

  it("puts emergencies first and counts call signs as people do", () => {
    expect(unitsBoard(listUnits(filled)).map((one) => one.callSign)).toEqual(["4A3", "4A9", "4A10"]);
  });

  it("knows the call of a unit, and how many units there are", () => {
    expect(callsByUnit(openCalls(filled)).get("1:4A9")?.number).toBe("H-1");
    expect(countedUnits(filled)).toBe(7);
    expect(countedUnits(play())).toBeNull();
  });

  it("reports what is shown as plain JSON", () => {
    const told = JSON.parse(JSON.stringify(report(filled, true)));
    expect(told).toMatchObject({ rendered: true, link: { liveness: "live" }, unlocated: { "1": 1 }, agencies: ["hpd"] });
    expect(told.units["103"]).toMatchObject({ unit: "4A3", status: "EMR", lon: -95.36, age_ms: 0, freshness: "fresh" });
    expect(told.calls["H-1"]).toMatchObject({ state: "active", unlocated: false, units: ["4A9"] });
  });
});
