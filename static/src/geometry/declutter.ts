/** Which labels to draw, and where, so that none covers another. */

export interface LabelBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const CELL_PX = 96;

function* cellsOf(box: LabelBox): Generator<string> {
  const [lastColumn, lastRow] = [Math.floor((box.left + box.width) / CELL_PX), Math.floor((box.top + box.height) / CELL_PX)];
  for (let column = Math.floor(box.left / CELL_PX); column <= lastColumn; column += 1) {
    for (let row = Math.floor(box.top / CELL_PX); row <= lastRow; row += 1) yield `${column}:${row}`;
  }
}

export function boxesOverlap(a: LabelBox, b: LabelBox): boolean {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
}

/** Screen boxes that are taken, in a grid so that each test looks at few of them. */
class Taken {
  readonly #cells = new Map<string, LabelBox[]>();

  add(box: LabelBox): void {
    for (const cell of cellsOf(box)) {
      const boxes = this.#cells.get(cell);
      if (boxes) boxes.push(box);
      else this.#cells.set(cell, [box]);
    }
  }

  isFree(box: LabelBox): boolean {
    for (const cell of cellsOf(box)) {
      if (this.#cells.get(cell)?.some((other) => boxesOverlap(box, other))) return false;
    }
    return true;
  }
}

/**
 * Choose a place for each label, earlier labels first; the first of its candidate boxes that is free. Boxes are in
 * screen pixels; `obstacles` are never covered. Returns the index of the candidate, or -1 where none was free.
 */
export function placeLabels(labels: readonly (readonly LabelBox[])[], obstacles: readonly LabelBox[] = []): number[] {
  const taken = new Taken();
  for (const box of obstacles) taken.add(box);
  return labels.map((candidates) => {
    const choice = candidates.findIndex((box) => taken.isFree(box));
    const box = candidates[choice];
    if (box) taken.add(box);
    return choice;
  });
}
