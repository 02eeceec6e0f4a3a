import { describe, expect, it } from "vitest";
import { isPointInRange, isTileInRange, tileRange, tileX, tileY } from "./tiles";

describe("tiles", () => {
  it("puts the null meridian and the equator in the middle", () => {
    expect([tileX(0, 1), tileY(0, 1)]).toEqual([1, 1]);
    expect([tileX(-0.001, 1), tileY(0.001, 1)]).toEqual([0, 0]);
  });

  it("agrees with the logarithmic form of the projection for downtown Houston", () => {
    expect([tileX(-95.3698, 13), tileY(29.7604, 13)]).toEqual([1925, 3386]);
  });

  it("clamps the poles and the antimeridian into the grid", () => {
    expect([tileX(180, 3), tileY(90, 3), tileY(-90, 3)]).toEqual([7, 0, 7]);
  });

  it("covers a box from its north-west to its south-east tile", () => {
    const range = tileRange([-95.5, 29.6, -95.2, 29.9], 10);
    expect(range.minX).toBeLessThanOrEqual(range.maxX);
    expect(range.minY).toBeLessThanOrEqual(range.maxY);
    expect(isPointInRange(-95.36, 29.76, range)).toBe(true);
    expect(isPointInRange(-94.0, 29.76, range)).toBe(false);
    expect(isTileInRange(range.minX, range.maxY, range)).toBe(true);
    expect(isTileInRange(range.minX - 1, range.maxY, range)).toBe(false);
  });
});
