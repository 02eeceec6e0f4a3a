import { describe, expect, it } from "vitest";
import { areaPaint, baseStyle, LAYERS_OF } from "./style";

describe("areas at an opacity", () => {
  it("fade, but not what is selected", () => {
    expect(areaPaint("fences", 0.5)).toEqual([
      ["fences-area", "fill-opacity", ["case", ["get", "isSelected"], 0.22, 0.03]],
      ["fences-line", "line-opacity", ["case", ["get", "isSelected"], 1, 0.5]],
    ]);
  });

  it("are drawn in full as the style draws them", () => {
    const [[id, , value] = []] = areaPaint("boundaries", 1);
    expect(baseStyle().layers.find((layer) => layer.id === id)?.paint).toMatchObject({ "fill-opacity": value });
    expect(areaPaint("boundaries", 1).map(([layer]) => layer)).toEqual(LAYERS_OF.boundaries);
  });
});
