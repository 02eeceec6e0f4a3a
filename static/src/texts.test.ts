import { expect, it } from "vitest";
import { originSentence, originWord, texts } from "./texts";

it("says what data is not live in the plainest words that are true", () => {
  expect(originSentence(["simulated"])).toBe("SIMULATED — not real events");
  expect(originSentence(["replayed"])).toBe("REPLAYED — past events, not happening now");
  expect(originSentence(["exercise"])).toBe("EXERCISE — training, not real events");
  expect(originSentence(["simulated", "replayed"])).toBe("SIMULATED + REPLAYED — not real events");
  expect(originWord("drill")).toBe("DRILL");
});

it("counts one unit as one", () => {
  expect(texts.boards.unitsInView(1, 1)).toBe("1 of 1 unit in this view");
  expect(texts.boards.unitsInView(2, 1200)).toBe("2 of 1,200 units in this view");
});
