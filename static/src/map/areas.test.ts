import { describe, expect, it } from "vitest";
import type { Feature } from "../feed/messages";
import { boxOf, drawAreas, polygonsOf } from "./areas";

const owned = (geometry: Feature["geometry"], properties: Record<string, unknown> = {}, id = 1) => ({
  agency: 1,
  feature: { type: "Feature", id, geometry, properties } as Feature,
});

const SQUARE: Feature["geometry"] = { type: "Polygon", coordinates: [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]] };

describe("areas", () => {
  it("turns a circle told as center and radius into a ring", () => {
    const [polygon] = polygonsOf(owned({ type: "Point", coordinates: [-95, 29] }, { radius_m: 100 }));
    expect(polygon?.[0]).toHaveLength(73);
  });

  it("names each area once, in its middle", () => {
    const { areas, names } = drawAreas("fences", [owned(SQUARE, { name: "Stadium" }, 4)], 4);
    expect(areas.features[0]).toMatchObject({ id: 4, properties: { id: 4, isSelected: true } });
    expect(names).toEqual([{ layer: "fences", text: "Stadium", middle: [1, 1], north: [1, 2], south: [1, 0] }]);
  });

  it("leaves out what has no area", () => {
    expect(drawAreas("fences", [owned(null), owned({ type: "Point", coordinates: [0, 0] })], null).areas.features).toEqual([]);
  });

  it("boxes an area", () => {
    expect(boxOf(polygonsOf(owned(SQUARE)))).toEqual([0, 0, 2, 2]);
    expect(boxOf([])).toBeNull();
  });
});
