/** Labels of marks and areas: placed so that none covers another. */

import type { LngLat } from "../geometry/circle";
import { type LabelBox, placeLabels } from "../geometry/declutter";
import type { AreaName } from "./areas";
import type { FoundPlace } from "../state/model";
import type { Mark } from "./marks";

const LINE_PX = 15;
const PAD_X = 4;
const PAD_Y = 2;
const EDGE_PX = 12;
/** More labels than this cannot be read, and cost time. */
const MOST_LABELS = 600;
/** Among more symbols than this only what is urgent is named. */
const MOST_NAMED_SYMBOLS = 1500;

export type LabelKind = "mark" | "selected" | "fences" | "boundaries";

export interface Label {
  readonly kind: LabelKind;
  readonly text: string;
  readonly anchor: LngLat;
  readonly offset: readonly [number, number];
  readonly opacity: number;
}

export interface Spot {
  readonly x: number;
  readonly y: number;
}

/** The map's size and how places come onto it, in pixels. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly project: (place: LngLat) => Spot;
  /** The width of a line of text in the labels' font. */
  readonly measure: (line: string) => number;
  /** Boxes that labels leave free: buttons and notices over the map. */
  readonly reserved: readonly LabelBox[];
}

function sizeOf(text: string, { measure }: Screen): { width: number; height: number } {
  const lines = text.split("\n");
  return { width: Math.max(...lines.map(measure)) + 2 * PAD_X, height: lines.length * LINE_PX + 2 * PAD_Y };
}

/** The middle of the symbol on the screen: a call's pin stands above its place. */
export const symbolSpot = (mark: Pick<Mark, "layer">, spot: Spot, scale: number): Spot => (mark.layer === "calls" ? { x: spot.x, y: spot.y - 23 * scale } : spot);

/** Return how large symbols are drawn at a zoom: smaller when a whole city is seen. */
export const symbolScale = (zoom: number): number => Math.min(1, Math.max(0.62, 0.62 + (zoom - 9.5) * 0.19));

/** Half the width that a symbol takes, with its ring. */
const reach = (mark: Mark, scale: number): number => (mark.layer === "units" && (mark.isSelected || mark.isEmergency) ? 26 : 15) * scale;

function symbolBox(mark: Mark, spot: Spot, scale: number): LabelBox {
  const { x, y } = symbolSpot(mark, spot, scale);
  const half = reach(mark, scale);
  return { left: x - half + 2, top: y - half + 2, width: 2 * half - 4, height: mark.layer === "calls" ? 36 * scale : 2 * half - 4 };
}

/** A label waiting for its place: candidate boxes, the best first. */
interface Wish {
  readonly kind: LabelKind;
  readonly text: string;
  readonly anchor: LngLat;
  readonly spot: Spot;
  readonly boxes: readonly LabelBox[];
  readonly urgency: number;
  readonly opacity: number;
}

function markWish(mark: Mark, spot: Spot, screen: Screen): Wish {
  const { scale } = screen;
  const size = sizeOf(mark.label, screen);
  const { width, height } = size;
  const { x, y } = symbolSpot(mark, spot, scale);
  const gap = reach(mark, scale) + 3;
  const right = { left: x + gap, top: y - height / 2, ...size };
  const left = { left: x - gap - width, top: y - height / 2, ...size };
  const below = { left: x - width / 2, top: y + (mark.layer === "calls" ? 26 * scale : gap), ...size };
  const above = { left: x - width / 2, top: y - gap - height, ...size };
  const cornered = [{ ...below, left: x + gap - width }, { ...below, left: x - gap }];
  const boxes = mark.layer === "calls" ? [right, left, above] : [below, right, left, above, ...cornered];
  return { kind: mark.isSelected ? "selected" : "mark", text: mark.label, anchor: [mark.lon, mark.lat], spot, boxes, urgency: mark.urgency, opacity: mark.opacity };
}

/** The name of an area, as strong as its layer is drawn. */
export type ShownName = AreaName & { readonly opacity?: number };

/** A fence is named over its edge, a boundary in its middle; both step aside for symbols. */
function areaWish(name: ShownName, screen: Screen): Wish {
  const size = sizeOf(name.text, screen);
  const [middle, north, south] = [name.middle, name.north, name.south].map(screen.project) as [Spot, Spot, Spot];
  const at = ({ x, y }: Spot, dy: number): LabelBox => ({ left: x - size.width / 2, top: y + dy, ...size });
  const steps = [0, -26, 26, -52, 52].map((dy) => at(middle, dy - size.height / 2));
  const boxes = name.layer === "fences" ? [at(north, -size.height - 2), at(south, 3), ...steps] : steps;
  return { kind: name.layer, text: name.text, anchor: name.middle, spot: middle, boxes, urgency: 1.5, opacity: name.opacity ?? 1 };
}

function fits(box: LabelBox, { width, height }: Screen): boolean {
  return box.left >= EDGE_PX && box.top >= EDGE_PX && box.left + box.width <= width - EDGE_PX && box.top + box.height <= height - EDGE_PX;
}

const isNear = ({ x, y }: Spot, { width, height }: Screen): boolean => x > -40 && y > -40 && x < width + 40 && y < height + 60;

/** Place the labels: marks that `isLabeled` accepts, and areas, around the symbols of all marks. */
export function layLabels(marks: readonly Mark[], areas: readonly ShownName[], screen: Screen, isLabeled: (mark: Mark) => boolean): Label[] {
  const seen = marks.map((mark) => ({ mark, spot: screen.project([mark.lon, mark.lat]) })).filter(({ spot }) => isNear(spot, screen));
  const isCrowded = seen.length > MOST_NAMED_SYMBOLS;
  const named = seen.filter(({ mark }) => isLabeled(mark) && (!isCrowded || mark.urgency <= 1)).sort((a, b) => a.mark.urgency - b.mark.urgency);
  const wanted = named.slice(0, MOST_LABELS).map(({ mark, spot }) => markWish(mark, spot, screen));
  const wishes = [...areas.map((name) => areaWish(name, screen)), ...wanted].sort((a, b) => a.urgency - b.urgency);
  const symbols = seen.map(({ mark, spot }) => symbolBox(mark, spot, screen.scale));
  const urgent = settle(wishes.filter(({ urgency }) => urgency <= 1), screen, screen.reserved);
  const rest = settle(wishes.filter(({ urgency }) => urgency > 1), screen, [...screen.reserved, ...urgent.map(({ box }) => box), ...symbols]);
  return [...rest, ...urgent].map(({ wish: { kind, text, anchor, spot, opacity }, box }) => ({ kind, text, anchor, opacity, offset: [box.left + PAD_X - spot.x, box.top + PAD_Y - spot.y] as const }));
}

/** Where the symbol and the words of such a place stand: other labels keep away. */
export function foundBox({ text, place }: FoundPlace, { project, measure }: Pick<Screen, "project" | "measure">): LabelBox {
  const { x, y } = project(place);
  return { left: x - 12, top: y - 12, width: 28 + measure(text) + PAD_X, height: 24 };
}

/** The words at a place that someone looked for; they stand beside it, whatever is there. */
export const foundLabel = ({ text, place }: FoundPlace): Label => ({ kind: "selected", text, anchor: place, offset: [16, -LINE_PX / 2], opacity: 1 });

interface Settled {
  readonly wish: Wish;
  readonly box: LabelBox;
}

/** Give each wish its first free box. What is selected or in emergency may cover symbols, so that it is always named. */
function settle(wishes: readonly Wish[], screen: Screen, obstacles: readonly LabelBox[]): Settled[] {
  const candidates = wishes.map(({ boxes }) => boxes.filter((box) => fits(box, screen)));
  const choices = placeLabels(candidates, obstacles);
  return wishes.flatMap((wish, index) => {
    const box = candidates[index]?.[choices[index] as number];
    return box ? [{ wish, box }] : [];
  });
}
