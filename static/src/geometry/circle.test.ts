import { describe, expect, it } from "vitest";
import { circleRing, destination, distanceM, labelPoint, type LngLat, ringCentroid } from "./circle";

const HOUSTON: LngLat = [-95.3698, 29.7604];

describe("circles", () => {
  it("measures one degree of latitude as 111.195 km", () => {
    expect(distanceM([0, 0], [0, 1])).toBeCloseTo(111_195, -1);
  });

  it("walks back to where it came from", () => {
    const there = destination(HOUSTON, 73, 1200);
    expect(distanceM(HOUSTON, there)).toBeCloseTo(1200, 3);
  });

  it("closes the ring and keeps every corner at the radius", () => {
    const ring = circleRing(HOUSTON, 300, 24);
    expect(ring).toHaveLength(25);
    expect(ring[0]).toEqual(ring[24]);
    for (const corner of ring) expect(distanceM(HOUSTON, corner)).toBeCloseTo(300, 3);
  });
});

describe("label points", () => {
  const square: LngLat[] = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]];

  it("finds the middle of a square", () => {
    expect(ringCentroid(square)).toEqual([1, 1]);
  });

  it("labels the largest part of a multipolygon", () => {
    const large = square.map(([x, y]): LngLat => [x * 5 + 10, y * 5]);
    expect(labelPoint([[square], [large]])).toEqual([15, 5]);
  });

  it("has no place for a polygon without an area", () => {
    expect(labelPoint([])).toBeNull();
    expect(ringCentroid([[1, 1], [1, 1], [1, 1], [1, 1]])).toEqual([1, 1]);
  });
});
