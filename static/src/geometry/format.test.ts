import { describe, expect, it } from "vitest";
import { formatAge, formatHeading, formatLength, formatMoment, formatSpeed, formatTime, formatTimer, formatZone } from "./format";

const METRIC = { length: "m", distance: "km", speed: "km/h" };

describe("lengths and speeds", () => {
  it("uses feet and miles unless the agency says otherwise", () => {
    expect(formatLength(30)).toBe("98 ft");
    expect(formatLength(1609.344)).toBe("1.0 mi");
    expect(formatSpeed(12.1)).toBe("27 mph");
  });

  it("follows a metric profile", () => {
    expect(formatLength(30, METRIC)).toBe("30 m");
    expect(formatLength(12_400, METRIC)).toBe("12 km");
    expect(formatSpeed(10, METRIC)).toBe("36 km/h");
  });

  it("names the eight winds", () => {
    expect(formatHeading(271)).toBe("W 271°");
    expect(formatHeading(359.9)).toBe("N 0°");
  });
});

describe("ages and timers", () => {
  it("shows the largest whole unit", () => {
    expect([3_000, 6 * 60_000, 7_500_000, 200_000_000].map(formatAge)).toEqual(["3 s", "6 min", "2 h 05 min", "2 d"]);
  });

  it("never shows a negative age", () => {
    expect(formatAge(-500)).toBe("0 s");
    expect(formatTimer(-1)).toBe("0:00");
  });

  it("runs timers in minutes, hours, then days", () => {
    expect([247_000, 3_847_000, 180_000_000].map(formatTimer)).toEqual(["4:07", "1:04:07", "2 d 02 h"]);
  });
});

describe("times of day", () => {
  const autumn = Date.UTC(2026, 10, 1, 6, 30, 5);

  it("uses 24 hours with seconds", () => {
    expect(formatTime(Date.UTC(2026, 10, 22, 0, 5, 9))).toBe("00:05:09");
    expect(formatTime(Date.UTC(2026, 10, 22, 20, 32, 5), "America/Chicago")).toBe("14:32:05");
  });

  it("tells the repeated autumn hour apart", () => {
    expect(formatTime(autumn, "America/Chicago")).toBe(formatTime(autumn + 3_600_000, "America/Chicago"));
    expect([formatZone(autumn, "America/Chicago"), formatZone(autumn + 3_600_000, "America/Chicago")]).toEqual(["CDT", "CST"]);
  });

  it("adds the day only when it is another day", () => {
    const now = Date.UTC(2026, 10, 22, 12);
    expect(formatMoment(now - 3_600_000, now)).toBe("11:00:00");
    expect(formatMoment(now - 86_400_000, now)).toBe("Sat, Nov 21, 12:00:00");
    expect(formatMoment(now - 366 * 86_400_000, now)).toBe("Fri, Nov 21, 2025, 12:00:00");
  });
});
