/** Locks the desk when nobody uses it: first here, at once, then on the server, as long as that takes. */

import type { SessionRoads } from "./feed/session";
import { mustLock, readUsedAt } from "./state/idle";
import type { Store } from "./state/store";

const USED = "rtcc.used";
const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel"] as const;
const WRITE_EVERY_MS = 1000;
const LOOK_EVERY_MS = 1000;
const ASK_EVERY_MS = 30_000;

/** `idleMs`: how long nobody had used this desk when its page was loaded. Loading is no use. */
export function lockWhenIdle(store: Store, session: SessionRoads, storage: Storage, idleMs: number): void {
  let usedAt = readUsedAt(storage.getItem(USED), Date.now() - idleMs);
  const use = (): void => {
    usedAt = Date.now();
    storage.setItem(USED, String(usedAt));
  };
  const touched = (): void => {
    if (!store.state.desk.isLocked && Date.now() - usedAt >= WRITE_EVERY_MS) use();
  };
  store.subscribe((state, before) => {
    if (before.desk.isLocked && !state.desk.isLocked) use();
  });
  for (const kind of TOUCHES) addEventListener(kind, touched, { passive: true, capture: true });
  setInterval(() => {
    usedAt = readUsedAt(storage.getItem(USED), usedAt);
    if (mustLock({ ...store.state.desk, now: Date.now(), usedAt })) store.dispatch({ type: "lock", isLocked: true });
  }, LOOK_EVERY_MS);
  keepInStep(store, session, () => Date.now() - usedAt);
}

/** What is locked here becomes locked there, and what another window locked or unlocked is so here. The server hears how long nobody
 * has used the desk, since it locks whoever comes later. */
function keepInStep(store: Store, session: SessionRoads, idleForMs: () => number): void {
  let isTold = store.state.desk.isLocked;
  const ask = async (): Promise<void> => {
    const wasLocked = store.state.desk.isLocked;
    if (wasLocked && !isTold) isTold = await session.lock();
    const desk = await session.read(idleForMs());
    if (desk === null || store.state.desk.isLocked !== wasLocked) return;
    const mustStay = wasLocked && !isTold && desk.idleMs !== null;
    store.dispatch({ type: "desk", desk: { ...desk, isLocked: desk.isLocked || mustStay } });
  };
  store.subscribe((state, before) => {
    if (state.desk.isLocked === before.desk.isLocked) return;
    if (!state.desk.isLocked) isTold = false;
    else if (!isTold) void ask();
  });
  setInterval(() => void ask(), ASK_EVERY_MS);
  void ask();
}
