import { describe, expect, it } from "vitest";
import { formatTime } from "../geometry/format";
import { greeted, HELLO, receive, T0 } from "./state.fixture";
import { zoneOf } from "./units";

const unset = greeted(receive({ ...HELLO, seq: 2, agencies: HELLO.agencies.map((agency) => ({ ...agency, time_zone: "" })) }));

describe("the time zone of an agency", () => {
  it("is its own", () => {
    expect(formatTime(T0, zoneOf(greeted(), 1))).toBe("14:32:05");
  });

  it("is UTC as long as none is set, and of what is not known", () => {
    expect([zoneOf(unset, 1), zoneOf(greeted(), 9), zoneOf(greeted(), undefined)]).toEqual(["UTC", "UTC", "UTC"]);
    expect(formatTime(T0, zoneOf(unset, 1))).toBe("20:32:05");
  });
});
