import { describe, expect, it } from "vitest";
import { callLook, contrast, mix, rankSymbol, STATUS_SYMBOLS, unitLook } from "./palette";

const SYMBOLS = Object.values(STATUS_SYMBOLS);
const RANKS = [0, 1, 2, 3].map(rankSymbol);

describe("symbols", () => {
  it("measures contrast as WCAG does", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
    expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
  });

  it("keeps every letter readable, also when the symbol is late or hollow", () => {
    for (const symbol of SYMBOLS) {
      for (const freshness of ["fresh", "late", "hollow"] as const) {
        const look = unitLook(symbol, freshness);
        expect(contrast(look.fill, look.ink), `${symbol.letter} ${freshness}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    for (const symbol of RANKS) {
      for (const isActive of [true, false]) {
        const look = callLook(symbol, isActive);
        expect(contrast(look.fill, look.ink)).toBeGreaterThanOrEqual(4.5);
      }
    }
  });

  it("tells meanings apart by more than color", () => {
    const marks = SYMBOLS.map((symbol) => `${symbol.path}|${symbol.letter}`);
    expect(new Set(marks).size).toBe(marks.length);
    expect(new Set(RANKS.map((symbol) => symbol.path)).size).toBe(4);
  });

  it("draws every rank from the fourth on alike", () => {
    expect(rankSymbol(99)).toBe(rankSymbol(3));
    expect(rankSymbol(-1)).toBe(rankSymbol(0));
  });

  it("blends colors", () => {
    expect(mix("#000000", "#ffffff", 0.5)).toBe("#808080");
  });
});
