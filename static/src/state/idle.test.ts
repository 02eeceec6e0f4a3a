import { expect, it } from "vitest";
import { mustLock, readUsedAt } from "./idle";
import { initialState } from "./model";
import { reduce } from "./reduce";

const MINUTE = 60_000;
const at = { now: 30 * MINUTE, usedAt: 0, idleMs: 30 * MINUTE, isLocked: false };

it("locks a desk that nobody used for its time, not a moment before", () => {
  expect(mustLock(at)).toBe(true);
  expect(mustLock({ ...at, now: at.now - 1 })).toBe(false);
});

it("never locks a desk that is exempt, and none twice", () => {
  expect(mustLock({ ...at, idleMs: null })).toBe(false);
  expect(mustLock({ ...at, isLocked: true })).toBe(false);
});

it("counts the use of every window of the browser", () => {
  expect(readUsedAt("5000", 1000)).toBe(5000);
  expect(readUsedAt("500", 1000)).toBe(1000);
  expect(readUsedAt(null, 1000)).toBe(1000);
  expect(readUsedAt("yesterday", 1000)).toBe(1000);
});

it("keeps what the server said of the session when it locks", () => {
  const told = reduce(initialState(0), { type: "desk", desk: { isLocked: false, idleMs: MINUTE, endsAt: 9, notices: ["a seal is broken"] } });
  expect(reduce(told, { type: "lock", isLocked: true }).desk).toEqual({ isLocked: true, idleMs: MINUTE, endsAt: 9, notices: ["a seal is broken"] });
});
