import { describe, expect, it } from "vitest";
import { boxesOverlap, type LabelBox, placeLabels } from "./declutter";

const box = (left: number, top: number): LabelBox => ({ left, top, width: 40, height: 12 });

describe("labels", () => {
  it("keeps the earlier of two that overlap", () => {
    expect(placeLabels([[box(0, 0)], [box(20, 4)], [box(60, 0)]])).toEqual([0, -1, 0]);
  });

  it("moves a label to its next place before it gives up", () => {
    expect(placeLabels([[box(0, 0)], [box(20, 4), box(20, 40)]])).toEqual([0, 1]);
  });

  it("never covers an obstacle", () => {
    expect(placeLabels([[box(0, 0), box(100, 0)]], [box(10, 5)])).toEqual([1]);
  });

  it("sees overlaps across grid cells", () => {
    expect(placeLabels([[box(90, 90)], [box(100, 95)]])).toEqual([0, -1]);
  });

  it("lets labels touch", () => {
    expect(boxesOverlap(box(0, 0), box(40, 0))).toBe(false);
    expect(placeLabels([[box(0, 0)], [box(40, 0)], [box(0, 12)]])).toEqual([0, 0, 0]);
  });
});
