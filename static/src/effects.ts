/** What the page does beside drawing: time, the address, keys, the sound, the tab's title. */

import type { CommandRegistry } from "./commands/registry";
import type { LiveMap } from "./live-map";
import type { CommandBar } from "./panels/command-bar";
import type { SessionRoads } from "./feed/session";
import { AlarmSound } from "./panels/sound";
import { type PageAddress, parseAddress } from "./state/address";
import { liveness } from "./state/freshness";
import type { State } from "./state/model";
import { parseOpacities, writeOpacities } from "./state/opacity";
import { unrealOrigins } from "./state/origins";
import type { Store } from "./state/store";
import { texts } from "./texts";

const TICK_MS = 250;

export function tickAlong(store: Store): void {
  setInterval(() => store.dispatch({ type: "tick", real: Date.now() }), TICK_MS);
}

/** What the address says stands; an address without a view says nothing, and then this browser's habits do. */
export function restoreSettings(store: Store, address: PageAddress, storage: Storage): void {
  store.dispatch({ type: "hide_layers", layers: address.hidden });
  store.dispatch({ type: "opacities", opacity: address.view ? address.opacity : { ...parseOpacities(storage.getItem("rtcc.opacity")), ...address.opacity } });
  store.dispatch({ type: "select", selection: address.selection });
  store.dispatch({ type: "board", board: address.board });
  store.dispatch({ type: "mute", isMuted: storage.getItem("rtcc.muted") === "yes" });
  store.dispatch({ type: "letters", areOn: storage.getItem("rtcc.letters") !== "off" });
  store.subscribe((state, before) => {
    if (state.isMuted !== before.isMuted) storage.setItem("rtcc.muted", state.isMuted ? "yes" : "no");
    if (state.opacity !== before.opacity) storage.setItem("rtcc.opacity", writeOpacities(state.opacity));
    if (state.areLettersOn !== before.areLettersOn) storage.setItem("rtcc.letters", state.areLettersOn ? "on" : "off");
  });
}

/** Show what an address names, in the running page. */
export function followAddress(store: Store, live: LiveMap, hash: string): void {
  const { view, hidden, opacity, selection, board } = parseAddress(hash);
  store.dispatch({ type: "hide_layers", layers: hidden });
  store.dispatch({ type: "opacities", opacity });
  store.dispatch({ type: "board", board });
  store.dispatch({ type: "select", selection });
  if (view) live.go(view);
}

/** Keep the address of the page equal to what it shows; follow an address that someone enters. */
export function keepAddress(store: Store, live: LiveMap): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = (): void => {
    const address = live.address();
    if (address !== location.hash) history.replaceState(null, "", address);
  };
  store.subscribe((state, before) => {
    if (state.hidden === before.hidden && state.opacity === before.opacity && state.selection === before.selection && state.board === before.board && state.fleet.watched === before.fleet.watched) return;
    clearTimeout(timer);
    timer = setTimeout(write, 200);
  });
  addEventListener("hashchange", (event) => {
    clearTimeout(timer);
    followAddress(store, live, new URL(event.newURL).hash);
  });
}

/** Say on the body and in the tab's title what styles and people need to know at once. */
export function markBody(store: Store, root: HTMLElement): void {
  const mark = (state: State): void => {
    const state_ = liveness(state.link, state.real);
    document.body.dataset.liveness = state_;
    document.body.dataset.origin = unrealOrigins(state)[0] ?? "live";
    root.classList.toggle("locked", state.desk.isLocked);
    root.classList.toggle("layers-collapsed", state.collapsed.has("layers"));
    root.classList.toggle("side-collapsed", state.collapsed.has("side"));
    const title = state_ === "not_live" ? `${texts.link.not_live.toUpperCase()} · ${texts.product}` : texts.product;
    if (document.title !== title) document.title = title;
  };
  store.subscribe(mark);
  mark(store.state);
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !/^(?:checkbox|range)$/.test((target as HTMLInputElement).type);
}

/** The map itself zooms with these while it has the focus. */
const isMapZoom = (event: KeyboardEvent): boolean => event.target instanceof HTMLCanvasElement && /^[-+=]$/.test(event.key);

export function onKeys(commands: CommandRegistry, store: Store, bar: CommandBar): void {
  addEventListener("keydown", (event) => {
    if (bar.isOpen || store.state.isHelpOpen || store.state.desk.isLocked || event.isComposing) return;
    if (isMapZoom(event)) return;
    const command = commands.ofPress(event, store.state.areLettersOn && !isTyping(event));
    if (!command) return;
    event.preventDefault();
    command.run();
  });
}

export function soundWhenNotLive(store: Store): void {
  const sound = new AlarmSound();
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => sound.unlock(), { once: true });
  store.subscribe((state, before) => {
    const hasStopped = liveness(state.link, state.real) === "not_live" && liveness(before.link, before.real) !== "not_live";
    if (hasStopped && !state.isMuted) sound.play();
  });
}

/** A refused connection may mean that the session ended; ask once, so that the page can say so. */
export async function checkSignIn(store: Store, session: SessionRoads): Promise<void> {
  if (await session.isOver()) store.dispatch({ type: "signed_out" });
}
