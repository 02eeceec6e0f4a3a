/** Shape, color and fallback letter of each class: Okabe-Ito colors, never color alone, no red beside green. */

import type { Freshness } from "./state/freshness";
import type { Meaning } from "./state/units";

export interface Symbol {
  /** Outline in a box of 24 by 24 around (12, 12), as SVG path data. */
  readonly path: string;
  readonly color: string;
  readonly ink: string;
  readonly letter: string;
  /** How far the letter sits below the middle, in box units. */
  readonly drop: number;
}

const DARK = "#0b0f13";
const WHITE = "#ffffff";

function polygon(corners: number, radius: number, turnDeg: number, inner = radius): string {
  const count = inner === radius ? corners : corners * 2;
  const points = Array.from({ length: count }, (_, index) => {
    const angle = ((turnDeg + (index * 360) / count) * Math.PI) / 180;
    const size = index % 2 === 1 && inner !== radius ? inner : radius;
    return `${(12 + size * Math.sin(angle)).toFixed(2)} ${(12 - size * Math.cos(angle)).toFixed(2)}`;
  });
  return `M${points.join("L")}Z`;
}

const CIRCLE = "M12 2A10 10 0 1 1 12 22A10 10 0 1 1 12 2Z";
const SQUARE = "M4 2.5H20A1.5 1.5 0 0 1 21.5 4V20A1.5 1.5 0 0 1 20 21.5H4A1.5 1.5 0 0 1 2.5 20V4A1.5 1.5 0 0 1 4 2.5Z";
const HOUSE = "M12 1L21.5 9V21.5H2.5V9Z";
const PILL = "M7 5H17A7 7 0 0 1 17 19H7A7 7 0 0 1 7 5Z";
const TRAPEZOID = "M1.5 4H22.5L18.5 20.5H5.5Z";
const TRIANGLE = "M12 1L23.5 21.5H0.5Z";

export const STATUS_SYMBOLS: Readonly<Record<Meaning, Symbol>> = {
  emergency: { path: polygon(8, 12, 0, 8.6), color: "#d55e00", ink: DARK, letter: "!", drop: 0 },
  on_scene: { path: SQUARE, color: "#cc79a7", ink: DARK, letter: "S", drop: 0 },
  en_route: { path: HOUSE, color: "#e69f00", ink: DARK, letter: "E", drop: 1.5 },
  dispatched: { path: polygon(4, 12, 0), color: "#f0e442", ink: DARK, letter: "D", drop: 0 },
  transporting: { path: polygon(6, 11.5, 30), color: "#3d9be0", ink: DARK, letter: "T", drop: 0 },
  busy: { path: PILL, color: "#b9c3cc", ink: DARK, letter: "B", drop: 0 },
  available: { path: CIRCLE, color: "#56b4e9", ink: DARK, letter: "A", drop: 0 },
  out_of_service: { path: TRAPEZOID, color: "#8f9ba7", ink: DARK, letter: "X", drop: -0.5 },
  off_duty: { path: CIRCLE, color: "#7d8994", ink: DARK, letter: "O", drop: 0 },
  unknown: { path: CIRCLE, color: "#aab4be", ink: DARK, letter: "?", drop: 0 },
};

const RANK_SYMBOLS: readonly Symbol[] = [
  { path: polygon(8, 11.5, 22.5), color: "#d55e00", ink: DARK, letter: "1", drop: 0 },
  { path: TRIANGLE, color: "#e69f00", ink: DARK, letter: "2", drop: 3 },
  { path: SQUARE, color: "#f0e442", ink: DARK, letter: "3", drop: 0 },
  { path: CIRCLE, color: "#b9c3cc", ink: DARK, letter: "4", drop: 0 },
];

/** Return the symbol of a call's rank; everything from the fourth rank on looks alike. */
export function rankSymbol(rank: number): Symbol {
  return RANK_SYMBOLS[Math.min(Math.max(0, Math.floor(rank)), RANK_SYMBOLS.length - 1)] as Symbol;
}

/** Return what is written on a call's symbol: the agency's priority code, at most two letters. */
export function callLetter(priority: string, rank: number): string {
  return (priority || rankSymbol(rank).letter).slice(0, 2).toUpperCase();
}

export const rankClass = (rank: number): number => Math.min(Math.max(0, Math.floor(rank)), RANK_SYMBOLS.length - 1);

export interface Look {
  readonly fill: string;
  readonly line: string;
  readonly ink: string;
  readonly isDashed: boolean;
}

/** Late symbols are dimmed, old ones hollow; the shape stays. */
export function unitLook(symbol: Symbol, freshness: Freshness): Look {
  if (freshness === "fresh") return { fill: symbol.color, line: DARK, ink: symbol.ink, isDashed: false };
  if (freshness === "late") return { fill: mix(symbol.color, "#2a3138", 0.62), line: DARK, ink: WHITE, isDashed: false };
  return { fill: "#161b21", line: mix(symbol.color, "#aab4be", 0.5), ink: "#d5dce2", isDashed: true };
}

/** A waiting call is solid; one with units on it is an outline. */
export function callLook(symbol: Symbol, isActive: boolean): Look {
  if (!isActive) return { fill: symbol.color, line: WHITE, ink: symbol.ink, isDashed: false };
  return { fill: "#0e1216", line: symbol.color, ink: symbol.color, isDashed: false };
}

function channels(color: string): [number, number, number] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)) as [number, number, number];
}

/** Blend two `#rrggbb` colors; `share` of the second. */
export function mix(a: string, b: string, share: number): string {
  const [from, to] = [channels(a), channels(b)];
  return `#${from.map((value, i) => Math.round(value + ((to[i] as number) - value) * share).toString(16).padStart(2, "0")).join("")}`;
}

/** Return the contrast of two colors as WCAG 2.2 defines it, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: string): number {
  const [r, g, b] = channels(color).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
