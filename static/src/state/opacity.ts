/** How strongly each layer is drawn, in percent. A layer that is not named is drawn in full. */

import { LAYER_NAMES, type LayerName, type Opacities, type State } from "./model";

/** Fainter would be hidden without saying so; hiding is the check box's. */
export const LEAST_PERCENT = 20;
export const STEP_PERCENT = 10;
export const FULL_PERCENT = 100;

export const percentOf = ({ opacity }: Pick<State, "opacity">, layer: LayerName): number => opacity[layer] ?? FULL_PERCENT;

/** Return the share of a layer's color that is drawn, 0.2 to 1. */
export const opacityOf = (state: Pick<State, "opacity">, layer: LayerName): number => percentOf(state, layer) / 100;

export function withOpacity(opacity: Opacities, layer: LayerName, percent: number): Opacities {
  const { [layer]: _before, ...rest } = opacity;
  const kept = Math.min(FULL_PERCENT, Math.max(LEAST_PERCENT, Math.round(percent)));
  return kept === FULL_PERCENT ? rest : { ...rest, [layer]: kept };
}

/** Read `units:60,fences:30`, as the address and the browser keep it. What cannot be read is left out. */
export function parseOpacities(text: string | null): Opacities {
  return (text ?? "").split(",").reduce<Opacities>((opacity, part) => {
    const [name, percent = ""] = part.split(":");
    const layer = LAYER_NAMES.find((one) => one === name);
    return layer && /^\d+$/.test(percent) ? withOpacity(opacity, layer, Number(percent)) : opacity;
  }, {});
}

export function writeOpacities(opacity: Opacities): string {
  return LAYER_NAMES.filter((layer) => opacity[layer] !== undefined).map((layer) => `${layer}:${opacity[layer]}`).join(",");
}
