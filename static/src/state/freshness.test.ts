import { describe, expect, it } from "vitest";
import { feedFreshness, freshness, liveness, serverNow } from "./freshness";
import { reduce } from "./reduce";
import { call, greeted, HELLO, heartbeat, play, REAL0, receive, T0 } from "./state.fixture";

const after = (ms: number) => {
  const state = greeted(heartbeat(T0, REAL0));
  return liveness(state.link, REAL0 + ms);
};

describe("the link", () => {
  it("is judged by the age of the newest heartbeat", () => {
    expect([0, 4999, 5000, 9999, 10_000, 60_000].map(after)).toEqual(["live", "live", "delayed", "delayed", "not_live", "not_live"]);
  });

  it("is not live because of a greeting alone", () => {
    const state = play(receive(HELLO));
    expect(liveness(state.link, REAL0 + 100)).toBe("starting");
    expect(liveness(state.link, REAL0 + 10_000)).toBe("not_live");
  });

  it("keeps the time up to which it was live through a reconnect", () => {
    const state = greeted(heartbeat(T0 + 3000, REAL0), { type: "link", event: { kind: "closed", code: 1006, reason: "", wasOpen: true }, real: REAL0 + 9000 }, receive(HELLO, REAL0 + 12_000));
    expect(state.link).toMatchObject({ heartbeatServer: T0 + 3000, reconnects: 1 });
    expect(liveness(state.link, state.real)).toBe("not_live");
  });

  it("forgets what may no longer be seen when the session or its rights end", () => {
    const shown = greeted(heartbeat(T0, REAL0, { counts: { units: { "1": 4 } } }), receive({ seq: 3, type: "snapshot", layer: "calls", agency: 1, rev: 1, features: [call(1)] }));
    const closed = (code: number) => reduce(shown, { type: "link", event: { kind: "closed", code, reason: "", wasOpen: true }, real: REAL0 });
    expect([1006, 4401, 4403].map((code) => closed(code).features.size)).toEqual([1, 0, 0]);
    expect(reduce(shown, { type: "signed_out" })).toMatchObject({ counts: {}, feeds: [] });
  });

  it("says at once when the session ended, until a connection opens again", () => {
    const out = reduce(greeted(heartbeat(T0, REAL0)), { type: "signed_out" });
    expect(liveness(out.link, REAL0)).toBe("not_live");
    const again = reduce(out, { type: "link", event: { kind: "open" }, real: REAL0 });
    expect(liveness(again.link, REAL0)).toBe("live");
  });
});

describe("the clock", () => {
  it("runs at the instance's speed between heartbeats", () => {
    const state = greeted(heartbeat(T0, REAL0, { speed: 60 }));
    expect(serverNow(reduce(state, { type: "tick", real: REAL0 + 500 }))).toBe(T0 + 30_000);
  });

  it("is this machine's before the first greeting", () => {
    expect(serverNow(play())).toBe(REAL0);
  });
});

describe("age", () => {
  it("is late after two intervals and hollow after six", () => {
    expect([20_000, 20_001, 60_000, 60_001].map((ms) => freshness(ms, 10))).toEqual(["fresh", "late", "late", "hollow"]);
    expect(freshness(60_001, null)).toBe("late");
  });

  it("counts a feed that never spoke as hollow", () => {
    const feed = { source: "a", name: "A", agency: 1, layer: "units", origin: "live" as const, last_message_at: null, interval_s: 10, rejects_hour: 0 };
    expect(feedFreshness(feed, T0)).toBe("hollow");
    expect(feedFreshness({ ...feed, last_message_at: T0 - 21_000 }, T0)).toBe("late");
  });
});
