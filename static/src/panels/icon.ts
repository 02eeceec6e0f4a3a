/** The map's symbols, and a few line icons, as SVG for panels. */

import { svg, type SVGTemplateResult } from "lit";
import { callLook, type Look, rankSymbol, STATUS_SYMBOLS, type Symbol, unitLook } from "../palette";
import type { Freshness } from "../state/freshness";
import type { Meaning } from "../state/units";

function drawn(symbol: Symbol, look: Look, letter: string, size: number): SVGTemplateResult {
  return svg`<svg width=${size} height=${size} viewBox="-1 -1 26 26" aria-hidden="true">
    <path d=${symbol.path} fill=${look.fill} stroke=${look.line} stroke-width=${look.isDashed ? 2 : 1.6} stroke-dasharray=${look.isDashed ? "3.2 2.2" : "none"}></path>
    <text x="12" y=${16.6 + symbol.drop} text-anchor="middle" font-size=${letter.length > 1 ? 10 : 13} font-weight="700" fill=${look.ink}>${letter}</text>
  </svg>`;
}

export function unitSymbol(meaning: Meaning, letter: string, freshness: Freshness, size = 24): SVGTemplateResult {
  const symbol = STATUS_SYMBOLS[meaning];
  return drawn(symbol, unitLook(symbol, freshness), (letter || symbol.letter).slice(0, 2), size);
}

export function callSymbol(rank: number, letter: string, isActive: boolean, size = 24): SVGTemplateResult {
  const symbol = rankSymbol(rank);
  return drawn(symbol, callLook(symbol, isActive), letter, size);
}

const LINES = {
  search: "M10.5 3.5a7 7 0 1 1 0 14a7 7 0 0 1 0-14M15.6 15.6L21 21",
  close: "M5 5L19 19M19 5L5 19",
  target: "M12 5a7 7 0 1 1 0 14a7 7 0 0 1 0-14M12 1v5M12 18v5M1 12h5M18 12h5",
  left: "M15 5L8 12L15 19",
  right: "M9 5L16 12L9 19",
  sound: "M4 9v6h4l5 4V5L8 9ZM16.5 8.5a5 5 0 0 1 0 7M19 6a9 9 0 0 1 0 12",
  silent: "M4 9v6h4l5 4V5L8 9ZM17 9.5l5 5M22 9.5l-5 5",
  check: "M4 12.5L10 18.5L20 6.5",
  lock: "M6 11h12v9H6ZM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11",
  warning: "M12 3L22.5 21H1.5ZM12 9.5v5M12 17.5v.6",
} as const;

export function lineIcon(name: keyof typeof LINES, size = 16): SVGTemplateResult {
  return svg`<svg width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${LINES[name]}></path></svg>`;
}
