import { expect, it } from "vitest";
import { Sequence } from "./sequence";

it("counts from one and notices a gap or a repeat", () => {
  const sequence = new Sequence();
  expect([1, 2, 3].map((seq) => sequence.accept(seq))).toEqual([true, true, true]);
  expect(sequence.accept(5)).toBe(false);
  expect(sequence.accept(3)).toBe(false);
  expect(sequence.highest).toBe(3);
  expect(new Sequence().accept(2)).toBe(false);
});
