import { describe, expect, it } from "vitest";
import { opacityOf, parseOpacities, withOpacity, writeOpacities } from "./opacity";
import { reduce } from "./reduce";
import { greeted } from "./state.fixture";

describe("the opacity of layers", () => {
  it("is full until someone changes it, and again when they set it back", () => {
    const faint = reduce(greeted(), { type: "opacity", layer: "units", percent: 40 });
    expect([opacityOf(faint, "units"), opacityOf(faint, "calls")]).toEqual([0.4, 1]);
    expect(reduce(faint, { type: "opacity", layer: "units", percent: 100 }).opacity).toEqual({});
  });

  it("never hides a layer", () => {
    expect([withOpacity({}, "calls", 0), withOpacity({}, "calls", 500)]).toEqual([{ calls: 20 }, {}]);
  });

  it("is read as it was written", () => {
    const opacity = { boundaries: 30, units: 60 };
    expect(writeOpacities(opacity)).toBe("units:60,boundaries:30");
    expect(parseOpacities(writeOpacities(opacity))).toEqual(opacity);
  });

  it.each([null, "", "units", "units:x", "roads:50", "units:-4", ":"])("survives %s", (text) => {
    expect(parseOpacities(text)).toEqual({});
  });
});
