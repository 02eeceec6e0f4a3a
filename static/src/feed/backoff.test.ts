import { describe, expect, it } from "vitest";
import { LONGEST_DELAY_MS, reconnectDelayMs } from "./backoff";

describe("reconnecting", () => {
  it("waits longer each time, up to a limit", () => {
    expect([0, 1, 2, 3].map((attempt) => reconnectDelayMs(attempt, 0))).toEqual([250, 500, 1000, 2000]);
    expect(reconnectDelayMs(40, 0.999)).toBeLessThanOrEqual(LONGEST_DELAY_MS);
  });

  it("spreads clients that lost the server together", () => {
    expect(reconnectDelayMs(2, 0.5)).toBeGreaterThan(reconnectDelayMs(2, 0.1));
  });
});
