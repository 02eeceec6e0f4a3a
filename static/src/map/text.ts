/** The font of labels, and how wide it runs on this machine. */

export const LABEL_FONT = 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
export const LABEL_SIZE_PX = 12;
export const LABEL_WEIGHT = "600";
const MOST_REMEMBERED = 5000;

const widths = new Map<string, number>();
let ruler: CanvasRenderingContext2D | null = null;

function measure(line: string): number {
  if (!ruler) {
    ruler = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
    ruler.font = `${LABEL_WEIGHT} ${LABEL_SIZE_PX}px ${LABEL_FONT}`;
  }
  return ruler.measureText(line).width;
}

/** Return the width of a line in pixels. */
export function lineWidth(line: string): number {
  const known = widths.get(line);
  if (known !== undefined) return known;
  if (widths.size > MOST_REMEMBERED) widths.clear();
  const width = measure(line);
  widths.set(line, width);
  return width;
}
