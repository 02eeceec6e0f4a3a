import { describe, expect, it } from "vitest";
import type { AreaName } from "./areas";
import { foundBox, foundLabel, layLabels, type Screen, symbolScale, symbolSpot } from "./labels";
import type { Mark } from "./marks";

const screen: Screen = { width: 400, height: 300, scale: 1, reserved: [], project: ([x, y]) => ({ x, y }), measure: (line) => line.length * 7 };
const mark = (label: string, lon: number, lat: number, more: Partial<Mark> = {}): Mark => ({
  layer: "units", id: 1, lon, lat, icon: "", pointer: null, headingDeg: 0, label, opacity: 1, isSelected: false, isEmergency: false, uncertaintyM: null, urgency: 3, ...more,
});
const all = () => true;
const laid = (marks: Mark[], areas: AreaName[] = [], on: Screen = screen) => layLabels(marks, areas, on, all).map((label) => label.text).sort();

describe("labels on the map", () => {
  it("stand below a unit, or beside it where the edge is near", () => {
    expect(layLabels([mark("4A1", 200, 100)], [], screen, all)[0]?.offset).toEqual([-10.5, 20]);
    const [offsetX] = layLabels([mark("4A1", 200, 270)], [], screen, all)[0]?.offset ?? [];
    expect(offsetX).toBeGreaterThan(15);
  });

  it("reach under a neighbor where a long one has no other place: what fell silent says since when", () => {
    const silent = mark("4A1\nlast seen 21:48:09, 2 min", 330, 100, { urgency: 1.4 });
    const [label] = layLabels([silent, mark("", 290, 90)], [], screen, (one) => one.label !== "");
    expect(label?.offset[0]).toBeLessThan(-100);
    expect(label?.offset[1]).toBeGreaterThan(15);
  });

  it("give way to symbols and to buttons", () => {
    const around = [mark("", 200, 130), mark("", 232, 100), mark("", 168, 100), mark("", 200, 70)];
    expect(layLabels([mark("4A1", 200, 100), ...around], [], screen, (one) => one.label !== "")).toEqual([]);
    expect(laid([mark("4A1", 200, 100)], [], { ...screen, reserved: [{ left: 0, top: 0, width: 400, height: 300 }] })).toEqual([]);
  });

  it("always name what is selected or in emergency", () => {
    const around = [mark("", 200, 130), mark("", 240, 100), mark("", 160, 100), mark("", 200, 70)];
    const emergency = mark("4A1", 200, 100, { isEmergency: true, urgency: 1 });
    expect(layLabels([emergency, ...around], [], screen, (one) => one.label !== "").map((label) => label.text)).toEqual(["4A1"]);
  });

  it("name a fence over its edge and keep call signs off the name", () => {
    const fence: AreaName = { layer: "fences", text: "Stadium", middle: [200, 150], north: [200, 120], south: [200, 180] };
    const [name] = layLabels([], [fence], screen, all);
    expect(150 + (name?.offset[1] ?? 0)).toBeLessThan(120);
    expect(laid([mark("4A1", 200, 85)], [fence])).toEqual(["4A1", "Stadium"]);
  });

  it("fade with what they name", () => {
    const fence: AreaName = { layer: "fences", text: "Stadium", middle: [300, 150], north: [300, 120], south: [300, 180] };
    const labels = layLabels([mark("4A1", 100, 100, { opacity: 0.4 })], [{ ...fence, opacity: 0.6 }], screen, all);
    expect(labels.map(({ text, opacity }) => [text, opacity]).sort()).toEqual([["4A1", 0.4], ["Stadium", 0.6]]);
  });

  it("keep away from a place that someone looked for", () => {
    const found = { text: "15R TN 708 945", place: [200, 150] as const, sizeM: 100 };
    const label = layLabels([mark("4A1", 240, 118)], [], { ...screen, reserved: [foundBox(found, screen)] }, all)[0];
    expect(label?.offset[1]).toBeLessThan(0);
    expect(foundLabel(found)).toMatchObject({ text: "15R TN 708 945", anchor: [200, 150], opacity: 1 });
  });

  it("leave out what lies off the screen, and the crowd when there is one", () => {
    expect(laid([mark("4A1", 900, 100)])).toEqual([]);
    const crowd = Array.from({ length: 1600 }, (_, index) => mark(`U${index}`, 200, 150));
    expect(laid([...crowd, mark("4A1", 60, 60, { urgency: 0, isSelected: true })])).toEqual(["4A1"]);
  });
});

describe("symbols", () => {
  it("shrink when a whole city is seen", () => {
    expect([8, 9.5, 12].map(symbolScale)).toEqual([0.62, 0.62, 1]);
  });

  it("stand above the place of a call", () => {
    expect(symbolSpot({ layer: "calls" }, { x: 10, y: 50 }, 1)).toEqual({ x: 10, y: 27 });
    expect(symbolSpot({ layer: "units" }, { x: 10, y: 50 }, 1)).toEqual({ x: 10, y: 50 });
  });
});
