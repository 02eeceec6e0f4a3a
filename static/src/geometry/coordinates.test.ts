import { describe, expect, it } from "vitest";
import { formatCoordinate, readCoordinate } from "./coordinates";
import type { LngLat } from "./circle";

const HOUSTON: LngLat = [-95.37, 29.76];

describe("typed coordinates", () => {
  it.each([
    ["29.7604, -95.3698"],
    ["29.7604 -95.3698"],
    ["29.7604° -95.3698°"],
    ["N29.7604 W95.3698"],
    ["29.7604N, 95.3698W"],
    ["W 95.3698, N 29.7604"],
    ["29 45.624 N, 95 22.188 W"],
    ["29° 45.624′ N 95° 22.188′ W"],
    ["29 45.624, -95 22.188"],
    ["95 22.188 W, 29 45.624 N"],
    ["29° 45' 37.44\" N 95° 22' 11.28\" W"],
    ["29:45:37.44, -95:22:11.28"],
    ["95° 22’ 11.28” W, 29° 45’ 37.44” N"],
  ])("reads %s", (text) => {
    const [read] = readCoordinate(text);
    expect(read?.place[0]).toBeCloseTo(-95.3698, 5);
    expect(read?.place[1]).toBeCloseTo(29.7604, 5);
  });

  it.each(["4A12", "H-2041", "Main St", "", "95, 200", "29.7N, 30.1N", "29 75 N, 95 W", "12"])("leaves %s to the other searches", (text) => {
    expect(readCoordinate(text)).toEqual([]);
  });

  it.each([
    ["29.7604, -95.3698", "DD", 10],
    ["29.76, -95.4", "DD", 10_000],
    ["29.760402, -95.369812", "DD", 1],
    ["29 45.624 N, 95 22.188 W", "DDM", 2],
    ["29 45 37 N, 95 22 11 W", "DMS", 30],
    ["15R TN 7085 9458", "MGRS", 10],
  ])("says of %s that it is %s, good to about %i m", (text, notation, precisionM) => {
    expect(readCoordinate(text)[0]).toMatchObject({ notation, precisionM });
  });

  it("takes plain numbers latitude first, and the other way where only that is a place", () => {
    expect(readCoordinate("29.76, 45.37").map(({ order, place }) => [order, place])).toEqual([
      ["lat_lon", [45.37, 29.76]],
      ["lon_lat", [29.76, 45.37]],
    ]);
    expect(readCoordinate("-95.37, 29.76")).toMatchObject([{ order: "lon_lat", place: HOUSTON }]);
  });

  it("puts the order first that lies in the agency's country", () => {
    const quito: LngLat = [-78.47, -0.18];
    expect(readCoordinate("-78.47, -0.18", quito).map(({ order }) => order)).toEqual(["lon_lat", "lat_lon"]);
    expect(readCoordinate("-0.18, -78.47", quito).map(({ order }) => order)).toEqual(["lat_lon", "lon_lat"]);
    expect(readCoordinate("10.5, 20.5", quito)[0]?.order).toBe("lat_lon");
  });

  it("trusts letters whatever is near", () => {
    expect(readCoordinate("29.76 S, 95.37 E", HOUSTON)).toMatchObject([{ order: null, place: [95.37, -29.76] }]);
  });

  it("writes what it can read again", () => {
    expect(readCoordinate(formatCoordinate([-95.3698, 29.7604]))[0]?.place).toEqual([-95.3698, 29.7604]);
  });
});
