/** When nobody has used a desk for long enough. Times are this machine's, in milliseconds. */

/** Return whether the desk must lock. A clock that was set back counts as use: the next touch writes the right time. */
export function mustLock(at: { readonly now: number; readonly usedAt: number; readonly idleMs: number | null; readonly isLocked: boolean }): boolean {
  return !at.isLocked && at.idleMs !== null && at.now - at.usedAt >= at.idleMs;
}

/** Read when any window of this browser was used last; what cannot be read was never used. */
export function readUsedAt(stored: string | null, openedAt: number): number {
  const usedAt = Number(stored ?? Number.NaN);
  return Number.isFinite(usedAt) ? Math.max(usedAt, openedAt) : openedAt;
}
