import { describe, expect, it } from "vitest";
import { beginning } from "./beginning";
import { call, greeted, HELLO, heartbeat, play, REAL0, receive, T0 } from "./state.fixture";

const feed = (last: number | null) => ({ source: "a", name: "A", agency: 1, layer: "units", origin: "live", last_message_at: last, interval_s: 10, rejects_hour: 0 });
const beat = (...feeds: object[]) => heartbeat(T0, REAL0, { feeds });
const empty = receive({ ...HELLO, agencies: [] });

describe("the beginning of an instance", () => {
  it("is not known before the first heartbeat", () => {
    expect([beginning(play()), beginning(greeted())]).toEqual([null, null]);
  });

  it("asks for an agency, then a source, then its first message", () => {
    expect(beginning(play(empty, beat()))).toBe("no_agency");
    expect(beginning(greeted(beat()))).toBe("no_source");
    expect(beginning(greeted(beat(feed(null))))).toBe("no_message");
  });

  it("is over when something came", () => {
    expect(beginning(greeted(beat(feed(T0))))).toBeNull();
    expect(beginning(greeted(beat(), receive({ seq: 3, type: "snapshot", layer: "calls", agency: 1, rev: 1, features: [call(1)] })))).toBeNull();
  });

  it("is nobody's business who is signed out", () => {
    expect(beginning(play(empty, beat(), { type: "signed_out" }))).toBeNull();
  });
});
