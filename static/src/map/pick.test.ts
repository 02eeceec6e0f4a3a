import { expect, it } from "vitest";
import type { Mark } from "./marks";
import { nearestMark } from "./pick";

const mark = (layer: "units" | "calls", id: number, lon: number, lat: number): Mark => ({
  layer, id, lon, lat, icon: "", pointer: null, headingDeg: 0, label: "", opacity: 1, isSelected: false, isEmergency: false, uncertaintyM: null, urgency: 3,
});
const project = ({ lon, lat }: Mark) => ({ x: lon, y: lat });

it("takes the nearest symbol within reach, and a call by the head of its pin", () => {
  const marks = [mark("calls", 1, 100, 100), mark("units", 2, 100, 100), mark("units", 3, 110, 100)];
  expect(nearestMark(marks, project, 100, 77, 1)?.id).toBe(1);
  expect(nearestMark(marks, project, 107, 101, 1)?.id).toBe(3);
  expect(nearestMark(marks, project, 100, 101, 1)?.id).toBe(2);
  expect(nearestMark(marks, project, 200, 200, 1)).toBeNull();
});
