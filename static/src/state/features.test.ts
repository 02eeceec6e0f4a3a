import { describe, expect, it } from "vitest";
import type { ServerMessage } from "../feed/messages";
import { callsBoard, openCalls, readCall } from "./calls";
import { featuresOf, findFeature } from "./features";
import { call, greeted, receive, T0 } from "./state.fixture";

const snapshot = (features: ReturnType<typeof call>[], rev = 5, agency = 1): ServerMessage => ({ seq: 2, type: "snapshot", layer: "calls", agency, rev, features });
const changes = (features: ReturnType<typeof call>[], removed: number[], prev: number, rev: number): ServerMessage => ({
  seq: 3, type: "changes", layer: "calls", agency: 1, prev, rev, features, removed,
});
const ids = (state: ReturnType<typeof greeted>) => featuresOf(state.features, "calls").map(({ feature }) => feature.id).sort();

describe("feature layers", () => {
  it("replaces all of an agency by a snapshot, and nothing of another's", () => {
    const state = greeted(receive(snapshot([call(1), call(2)])), receive(snapshot([call(7)], 1, 2)), receive(snapshot([call(3)], 6)));
    expect(ids(state)).toEqual([3, 7]);
  });

  it("applies changes: new, changed and removed", () => {
    const state = greeted(receive(snapshot([call(1), call(2)])), receive(changes([call(1, { state: "active" }), call(3)], [2], 5, 6)));
    expect(ids(state)).toEqual([1, 3]);
    expect(findFeature(state.features, "calls", 1)?.feature.properties.state).toBe("active");
  });

  it("leaves out changes that the snapshot already holds", () => {
    const state = greeted(receive(snapshot([call(1)])), receive(changes([call(9)], [1], 3, 5)));
    expect(ids(state)).toEqual([1]);
  });

  it("completes a large snapshot by changes at its own revision", () => {
    const state = greeted(receive(snapshot([call(1)])), receive(changes([call(2)], [], 5, 5)));
    expect(ids(state)).toEqual([1, 2]);
  });

  it("withdraws a layer of one agency, and resets all", () => {
    const filled = [receive(snapshot([call(1)])), receive(snapshot([call(7)], 1, 2))];
    expect(ids(greeted(...filled, receive({ seq: 4, type: "withdraw", layer: "calls", agency: 1 })))).toEqual([7]);
    expect(ids(greeted(...filled, receive({ seq: 4, type: "reset" })))).toEqual([]);
  });
});

describe("calls", () => {
  it("leaves closed calls out", () => {
    expect(openCalls(greeted(receive(snapshot([call(1, { state: "closed" }), call(2)])))).map((one) => one.id)).toEqual([2]);
  });

  it("puts unlocated ones first, then waiting and active by rank, then the oldest", () => {
    const state = greeted(
      receive(snapshot([
        call(1), call(2), call(3, { rank: 0, priority: "1" }), call(4, { state: "active" }), call(5, {}, null), call(6, { unlocated: true }), call(8, { rank: null }),
      ])),
    );
    const board = callsBoard(openCalls(state));
    expect(board.unlocated.map((one) => one.id)).toEqual([6, 5]);
    expect(board.waiting.map((one) => one.id)).toEqual([3, 2, 1, 8]);
    expect(board.active.map((one) => one.id)).toEqual([4]);
  });

  it("never places an unlocated call", () => {
    const read = readCall({ agency: 1, feature: call(6, { unlocated: true }) });
    expect([read.place, read.openedAt]).toEqual([null, T0 - 360_000]);
  });
});
