/** The deck.gl layers of what moves: halo, calls, headings, units, labels. */

import type { Color, Layer } from "@deck.gl/core";
import { IconLayer, ScatterplotLayer, TextLayer } from "@deck.gl/layers";
import type { Label, LabelKind } from "./labels";
import type { FoundPlace } from "../state/model";
import type { Mark } from "./marks";
import type { Atlas } from "./symbols";
import { LABEL_FONT, LABEL_SIZE_PX, LABEL_WEIGHT } from "./text";

const UNIT_PX = 40;
const CALL_PX = 40;
type Ink = readonly [red: number, green: number, blue: number, alpha: number];
const WHITE: Color = [255, 255, 255, 255];
const EMERGENCY: Color = [240, 128, 43, 255];
const faded = ([red, green, blue, alpha]: Ink, opacity: number): Color => [red, green, blue, Math.round(alpha * opacity)];
const place = (mark: Mark): [number, number] => [mark.lon, mark.lat];

function icons(id: string, data: readonly Mark[], atlas: Atlas, options: Partial<ConstructorParameters<typeof IconLayer<Mark>>[0]>): Layer {
  return new IconLayer<Mark>({
    id,
    data: data as Mark[],
    iconAtlas: atlas.picture as unknown as string,
    iconMapping: atlas.places as never,
    getPosition: place,
    getColor: (mark) => [255, 255, 255, Math.round(255 * mark.opacity)],
    sizeUnits: "pixels",
    ...options,
  });
}

function halo(marks: readonly Mark[], scale: number): Layer {
  return new ScatterplotLayer<Mark>({
    id: "halo",
    data: marks.filter((mark) => mark.layer === "units" && (mark.isSelected || mark.isEmergency)),
    getPosition: place,
    radiusUnits: "pixels",
    radiusScale: scale,
    getRadius: (mark) => (mark.isEmergency ? 24 : 22),
    stroked: true,
    lineWidthUnits: "pixels",
    getLineWidth: (mark) => (mark.isEmergency ? 3.5 : 2.5),
    getFillColor: (mark) => (mark.isEmergency ? [213, 94, 0, 70] : [255, 255, 255, 40]),
    getLineColor: (mark) => (mark.isSelected ? WHITE : EMERGENCY),
  });
}

function uncertainty(marks: readonly Mark[]): Layer {
  return new ScatterplotLayer<Mark>({
    id: "uncertainty",
    data: marks.filter((mark) => mark.uncertaintyM !== null),
    getPosition: place,
    radiusUnits: "meters",
    getRadius: (mark) => mark.uncertaintyM ?? 0,
    stroked: true,
    lineWidthUnits: "pixels",
    getLineWidth: 1.5,
    getFillColor: [255, 255, 255, 26],
    getLineColor: [255, 255, 255, 190],
  });
}

/** The place that someone looked for, as wide as it is uncertain. */
function found(place: FoundPlace | null): Layer[] {
  const data = place ? [place] : [];
  const at = (one: FoundPlace): [number, number] => [one.place[0], one.place[1]];
  const middle = new ScatterplotLayer<FoundPlace>({ id: "found-middle", data, getPosition: at, radiusUnits: "pixels", getRadius: 3.5, getFillColor: WHITE });
  const reach = new ScatterplotLayer<FoundPlace>({
    id: "found",
    data,
    getPosition: at,
    radiusUnits: "meters",
    getRadius: (one) => one.sizeM / 2,
    radiusMinPixels: 10,
    stroked: true,
    lineWidthUnits: "pixels",
    getLineWidth: 2.5,
    getFillColor: [255, 255, 255, 16],
    getLineColor: WHITE,
  });
  return [reach, middle];
}

const INK: Readonly<Record<LabelKind, Ink>> = {
  mark: [238, 242, 245, 255],
  selected: [11, 15, 19, 255],
  fences: [127, 220, 192, 255],
  boundaries: [163, 176, 187, 255],
};
const PAPER: Readonly<Record<LabelKind, Ink>> = {
  mark: [14, 18, 22, 205],
  selected: [255, 255, 255, 245],
  fences: [24, 30, 34, 170],
  boundaries: [32, 38, 44, 150],
};

function names(labels: readonly Label[]): Layer {
  return new TextLayer<Label>({
    id: "names",
    data: labels as Label[],
    getPosition: (label) => label.anchor as [number, number],
    getText: (label) => label.text,
    getPixelOffset: (label) => label.offset as [number, number],
    getSize: LABEL_SIZE_PX,
    getColor: (label) => faded(INK[label.kind], label.opacity),
    getTextAnchor: "start",
    getAlignmentBaseline: "top",
    fontFamily: LABEL_FONT,
    fontWeight: LABEL_WEIGHT,
    lineHeight: 1.25,
    characterSet: "auto",
    fontSettings: { fontSize: 24, buffer: 4 },
    background: true,
    backgroundPadding: [4, 2],
    backgroundBorderRadius: 3,
    getBackgroundColor: (label) => faded(PAPER[label.kind], label.opacity),
  });
}

export function movingLayers(marks: readonly Mark[], labels: readonly Label[], place: FoundPlace | null, atlas: Atlas, scale: number): Layer[] {
  const calls = marks.filter((mark) => mark.layer === "calls");
  const units = marks.filter((mark) => mark.layer === "units");
  const headed = units.filter((mark) => mark.pointer !== null);
  return [
    uncertainty(marks),
    ...found(place),
    icons("calls", calls, atlas, { getIcon: (mark) => mark.icon, getSize: (mark) => (mark.isSelected ? CALL_PX * 1.25 : CALL_PX), sizeScale: scale }),
    halo(marks, scale),
    icons("headings", headed, atlas, { getIcon: (mark) => mark.pointer as string, getAngle: (mark) => -mark.headingDeg, getSize: UNIT_PX, sizeScale: scale }),
    icons("units", units, atlas, { getIcon: (mark) => mark.icon, getSize: UNIT_PX, sizeScale: scale }),
    ...(labels.length > 0 ? [names(labels)] : []),
  ];
}
