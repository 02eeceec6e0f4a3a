/** The small label at the pointer: what lies under it. */

import { formatAge, formatTimer } from "../geometry/format";
import { openCalls } from "../state/calls";
import { serverNow } from "../state/freshness";
import type { Selection, State } from "../state/model";
import { listUnits } from "../state/units";
import { texts } from "../texts";

function unitLines(state: State, id: number): string[] {
  const unit = listUnits(state).find((one) => one.id === id);
  if (!unit) return [];
  const age = formatAge(serverNow(state) - unit.observedAt);
  return [unit.callSign, unit.status?.label ?? texts.unknown, `${texts.boards.columns.gps}: ${age}`];
}

function callLines(state: State, id: number): string[] {
  const call = openCalls(state).find((one) => one.id === id);
  if (!call) return [];
  const age = call.openedAt === null ? "" : formatTimer(serverNow(state) - call.openedAt);
  return [call.type || call.number, call.address, [call.number, texts.card.states[call.state] ?? call.state, age].filter(Boolean).join(" · ")].filter(Boolean);
}

/** The lines for a mark; the first is its title. */
export function tipLines(state: State, mark: Selection): string[] {
  return mark.layer === "units" ? unitLines(state, mark.id) : callLines(state, mark.id);
}

export class Tip {
  constructor(private readonly element: HTMLElement) {}

  show(lines: readonly string[], x: number, y: number): void {
    const { element } = this;
    element.hidden = lines.length === 0;
    element.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
    const { clientWidth, clientHeight } = element.parentElement as HTMLElement;
    element.style.translate = `${Math.min(x + 16, clientWidth - element.offsetWidth - 14)}px ${Math.min(y + 16, clientHeight - element.offsetHeight - 14)}px`;
  }
}
