/** All symbols drawn once into one picture, from which the map's moving layers cut theirs. */

import type { StatusDefinition } from "../feed/messages";
import { callLetter, callLook, type Look, rankClass, rankSymbol, STATUS_SYMBOLS, type Symbol, unitLook } from "../palette";
import type { Call } from "../state/calls";
import type { Freshness } from "../state/freshness";
import type { Meaning, Unit } from "../state/units";

const CELL = 96;
const COLUMNS = 16;
const FRESHNESS: readonly Freshness[] = ["fresh", "late", "hollow"];

export interface IconPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly anchorX: number;
  readonly anchorY: number;
}

export interface Atlas {
  readonly picture: HTMLCanvasElement;
  readonly places: Readonly<Record<string, IconPlace>>;
}

type Draw = (context: CanvasRenderingContext2D) => void;
interface Job {
  readonly key: string;
  readonly anchorY: number;
  readonly draw: Draw;
}

const letterOf = (status: StatusDefinition | null, symbol: Symbol): string => (status?.letter || symbol.letter).slice(0, 2);

export const unitIcon = (unit: Unit, freshness: Freshness): string => `unit|${unit.meaning}|${letterOf(unit.status, STATUS_SYMBOLS[unit.meaning])}|${freshness}`;
export const pointerIcon = (unit: Unit, freshness: Freshness): string => `pointer|${unit.meaning}|${freshness}`;
export const callIcon = (call: Call): string => `call|${rankClass(call.rank)}|${callLetter(call.priority, call.rank)}|${call.state === "active"}`;

function stroke(context: CanvasRenderingContext2D, path: Path2D, look: Look, width: number): void {
  context.fillStyle = look.fill;
  context.fill(path);
  context.setLineDash(look.isDashed ? [3.2, 2.2] : []);
  context.lineWidth = width;
  context.strokeStyle = look.line;
  context.stroke(path);
  context.setLineDash([]);
}

function write(context: CanvasRenderingContext2D, letter: string, look: Look, drop: number): void {
  context.fillStyle = look.ink;
  context.font = `700 ${letter.length > 1 ? 10 : 13}px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(letter, 12, 12.8 + drop);
}

/** Draw in a box of 24 units, `scale` pixels each, with its middle at (`x`, `y`) of the cell. */
function inBox(context: CanvasRenderingContext2D, scale: number, x: number, y: number, draw: Draw): void {
  context.save();
  context.translate(x, y);
  context.scale(scale, scale);
  context.translate(-12, -12);
  draw(context);
  context.restore();
}

function unitJob(meaning: Meaning, letter: string, freshness: Freshness): Job {
  const symbol = STATUS_SYMBOLS[meaning];
  const look = unitLook(symbol, freshness);
  const draw: Draw = (context) =>
    inBox(context, 2.75, CELL / 2, CELL / 2, () => {
      const path = new Path2D(symbol.path);
      if (freshness !== "hollow") stroke(context, path, { ...look, line: "#0b0f13" }, 4);
      stroke(context, path, look, freshness === "hollow" ? 2.2 : 1.2);
      write(context, letter, look, symbol.drop);
    });
  return { key: `unit|${meaning}|${letter}|${freshness}`, anchorY: CELL / 2, draw };
}

function pointerJob(meaning: Meaning, freshness: Freshness): Job {
  const look = unitLook(STATUS_SYMBOLS[meaning], freshness);
  const draw: Draw = (context) =>
    inBox(context, 4, CELL / 2, CELL / 2, () => stroke(context, new Path2D("M12 0.4L18 8.5H6Z"), { ...look, fill: freshness === "hollow" ? look.line : look.fill, line: "#0b0f13", isDashed: false }, 0.9));
  return { key: `pointer|${meaning}|${freshness}`, anchorY: CELL / 2, draw };
}

function callJob(rank: number, letter: string, isActive: boolean): Job {
  const symbol = rankSymbol(rank);
  const look = callLook(symbol, isActive);
  const draw: Draw = (context) => {
    context.strokeStyle = look.line;
    context.lineWidth = 7;
    context.beginPath();
    context.moveTo(CELL / 2, 62);
    context.lineTo(CELL / 2, 92);
    context.stroke();
    inBox(context, 2.7, CELL / 2, 36, () => {
      const path = new Path2D(symbol.path);
      stroke(context, path, { ...look, line: "#0b0f13" }, 4.4);
      stroke(context, path, look, 2);
      write(context, letter, look, symbol.drop);
    });
  };
  return { key: `call|${rank}|${letter}|${isActive}`, anchorY: 92, draw };
}

function jobsOf(statuses: readonly StatusDefinition[], priorities: readonly { readonly letter: string; readonly rank: number }[]): Job[] {
  const meanings = Object.keys(STATUS_SYMBOLS) as Meaning[];
  const letters = new Map<string, [Meaning, string]>();
  for (const meaning of meanings) letters.set(`${meaning}|`, [meaning, STATUS_SYMBOLS[meaning].letter]);
  for (const status of statuses) {
    const meaning = meanings.find((known) => known === status.meaning) ?? "unknown";
    letters.set(`${meaning}|${status.letter}`, [meaning, letterOf(status, STATUS_SYMBOLS[meaning])]);
  }
  const units = [...letters.values()].flatMap(([meaning, letter]) => FRESHNESS.map((freshness) => unitJob(meaning, letter, freshness)));
  const pointers = meanings.flatMap((meaning) => FRESHNESS.map((freshness) => pointerJob(meaning, freshness)));
  const calls = priorities.flatMap(({ letter, rank }) => [true, false].map((isActive) => callJob(rankClass(rank), letter, isActive)));
  return [...new Map([...units, ...pointers, ...calls].map((job) => [job.key, job])).values()];
}

/** Draw every symbol that the given statuses and calls need. */
export function drawAtlas(statuses: readonly StatusDefinition[], priorities: readonly { readonly letter: string; readonly rank: number }[]): Atlas {
  const jobs = jobsOf(statuses, priorities);
  const picture = document.createElement("canvas");
  picture.width = COLUMNS * CELL;
  picture.height = Math.ceil(jobs.length / COLUMNS) * CELL;
  const context = picture.getContext("2d") as CanvasRenderingContext2D;
  const places: Record<string, IconPlace> = {};
  jobs.forEach(({ key, anchorY, draw }, index) => {
    const [x, y] = [(index % COLUMNS) * CELL, Math.floor(index / COLUMNS) * CELL];
    places[key] = { x, y, width: CELL, height: CELL, anchorX: CELL / 2, anchorY };
    context.save();
    context.translate(x, y);
    draw(context);
    context.restore();
  });
  return { picture, places };
}
