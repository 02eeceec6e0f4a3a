/** What both boards share: rows that the arrow keys walk through. */

import { css } from "lit";

export const boardStyles = css`
  table { width: 100%; border-collapse: collapse; table-layout: fixed; }
  th { position: sticky; top: 0; z-index: 2; background: var(--panel); text-align: left; font-size: 12px; font-weight: 600; color: var(--text-2); padding: 6px 6px 5px; border-bottom: 1px solid var(--line); }
  td { padding: 5px 6px; vertical-align: middle; border-bottom: 1px solid var(--line); }
  th:first-child, td:first-child { padding-left: 12px; }
  th:last-child, td:last-child { padding-right: 12px; text-align: right; }
  tr.row { position: relative; }
  tr.row:hover td { background: var(--raised); }
  tr.chosen td { background: var(--chosen); }
  tr.chosen td:first-child { box-shadow: inset 3px 0 0 var(--focus); }
  .pick { display: block; width: 100%; text-align: left; padding: 0; min-height: 24px; border: 0; font-weight: 650; font-size: 14px; }
  .pick:hover { background: none; }
  .pick::after { content: ""; position: absolute; inset: 0; }
  .pick:focus-visible { outline: none; }
  .pick:focus-visible::after { outline: 2px solid var(--focus); outline-offset: -2px; }
  .pick, .under { overflow-wrap: anywhere; line-height: 1.3; }
  .under { font-size: 12px; color: var(--text-2); }
  .empty { padding: 18px 16px; color: var(--text-2); font-size: 14px; line-height: 1.5; }
`;

/** Move the focus to the row above or below. */
export function walkRows(event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const table = event.currentTarget as HTMLElement;
  const rows = [...table.querySelectorAll<HTMLElement>(".pick")];
  const at = rows.indexOf(event.target as HTMLElement);
  const next = rows[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.focus();
}
