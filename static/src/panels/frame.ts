/** The hatched frame around a map that does not show real, present events. */

import { css, html, nothing, type TemplateResult } from "lit";
import type { State } from "../state/model";
import { unrealOrigins } from "../state/origins";
import { originSentence } from "../texts";
import { Panel } from "./panel";
import { theme } from "./theme";

export class OriginFrame extends Panel {
  static override styles = [theme, css`
    :host { position: absolute; inset: 0; pointer-events: none; z-index: 4; }
    .hatch { position: absolute; inset: 0; padding: 9px; background: repeating-linear-gradient(135deg, var(--origin) 0 10px, #14181c 10px 20px); mask: linear-gradient(#000 0 0) content-box exclude, linear-gradient(#000 0 0); }
    .word { position: absolute; top: 0; left: 50%; transform: translateX(-50%); white-space: nowrap; background: var(--origin); color: var(--dark); font-size: 14px; font-weight: 750; letter-spacing: .02em; padding: 4px 16px 5px; border-radius: 0 0 8px 8px; }
  `];

  protected override concerns(state: State, before: State): boolean {
    return unrealOrigins(state).join() !== unrealOrigins(before).join();
  }

  override render(): TemplateResult | typeof nothing {
    const origins = unrealOrigins(this.state);
    return origins.length === 0 ? nothing : html`<div class="hatch"></div><div class="word">${originSentence(origins)}</div>`;
  }
}
customElements.define("rtcc-frame", OriginFrame);
