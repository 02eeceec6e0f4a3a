/** Styles that panels share. Colors are custom properties of the page, so they reach into every panel. */

import { css } from "lit";

export const theme = css`
  :host { display: block; color: var(--text); font: 13px/1.4 var(--font); box-sizing: border-box; min-width: 0; }
  *, *::before, *::after { box-sizing: border-box; }
  h2, h3, p, ul, dl, dd, table { margin: 0; padding: 0; }
  button { font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: 5px; min-height: 26px; min-width: 26px; padding: 2px 8px; cursor: pointer; }
  button:hover { background: var(--raised); }
  :focus { outline: none; }
  :focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
  .plain { border-color: var(--edge); background: var(--raised); }
  .plain:hover { border-color: var(--text-2); }
  .quiet { color: var(--text-2); }
  .number { font-variant-numeric: tabular-nums; white-space: nowrap; }
  .cut { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
  .sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  svg { display: block; flex: none; }
`;
