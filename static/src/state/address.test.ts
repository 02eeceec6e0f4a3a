import { describe, expect, it } from "vitest";
import { parseAddress, writeAddress } from "./address";

describe("the address", () => {
  it("reads back what it wrote", () => {
    const shown = { view: { zoom: 12.5, lat: 29.76, lon: -95.37 }, hidden: ["boundaries", "fences"], opacity: { units: 60, fences: 30 }, selection: { layer: "calls" as const, id: 17 }, board: "units" as const };
    expect(parseAddress(writeAddress(shown))).toEqual(shown);
  });

  it("is short when nothing is special", () => {
    expect(writeAddress({ view: { zoom: 12, lat: 29.76, lon: -95.37 }, hidden: [], opacity: {}, selection: null, board: "calls" })).toBe("#12.00/29.76000/-95.37000");
  });

  it.each(["", "#", "#12/91/0", "#x/y/z", "#12/29", "#12//5&sel=calls", "#&sel=cars:1&hide=roads&opacity=roads:3&board=x"])("survives %s", (hash) => {
    expect(parseAddress(hash)).toEqual({ view: null, hidden: [], opacity: {}, selection: null, board: "calls" });
  });
});
