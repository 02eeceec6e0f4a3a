/** The commands of this page, each with its id and key. */

import { callsBoard, openCalls } from "../state/calls";
import { LAYER_NAMES, type Selection } from "../state/model";
import type { Store } from "../state/store";
import { texts } from "../texts";
import { CommandRegistry } from "./registry";
import { SavedViews } from "./saved-views";

/** What commands ask of the map and the panels. */
export interface Reach {
  openSearch(): void;
  center(): void;
  home(): void;
  zoomBy(steps: number): void;
  choose(selection: Selection): void;
  address(): string;
  openAddress(address: string): void;
  say(words: string): void;
}

const LAYER_KEYS = { units: "U", calls: "C", fences: "G", boundaries: "B" } as const;
const names = texts.commands.names;

function moveCommands(registry: CommandRegistry, store: Store, reach: Reach): void {
  const follow = (): void => store.dispatch({ type: "follow", isFollowing: !store.state.isFollowing && store.state.selection?.layer === "units" });
  registry.add({ id: "search", title: names.search, group: "go", keys: ["Ctrl+K", "/"], run: () => reach.openSearch() });
  registry.add({ id: "next_call", title: names.next_call, group: "go", keys: ["N"], run: () => stepCall(store, reach, 1) });
  registry.add({ id: "previous_call", title: names.previous_call, group: "go", keys: ["P"], run: () => stepCall(store, reach, -1) });
  registry.add({ id: "follow", title: names.follow, group: "go", keys: ["F"], run: follow });
  registry.add({ id: "center", title: names.center, group: "go", keys: ["X"], run: () => reach.center() });
  registry.add({ id: "home", title: names.home, group: "go", keys: ["H"], run: () => reach.home() });
  registry.add({ id: "zoom_in", title: names.zoom_in, group: "go", keys: ["+", "="], run: () => reach.zoomBy(1) });
  registry.add({ id: "zoom_out", title: names.zoom_out, group: "go", keys: ["-"], run: () => reach.zoomBy(-1) });
}

/** Walk through the board's calls in its order, round and round. */
function stepCall(store: Store, reach: Reach, step: 1 | -1): void {
  const { unlocated, waiting, active } = callsBoard(openCalls(store.state));
  const ids = [...unlocated, ...waiting, ...active].map((call) => call.id);
  const { selection } = store.state;
  const at = selection?.layer === "calls" ? ids.indexOf(selection.id) : -1;
  const id = at < 0 ? ids.at(step === 1 ? 0 : -1) : ids[(at + step + ids.length) % ids.length];
  if (id === undefined) return;
  store.dispatch({ type: "board", board: "calls" });
  reach.choose({ layer: "calls", id });
}

function showCommands(registry: CommandRegistry, store: Store): void {
  for (const layer of LAYER_NAMES) {
    registry.add({ id: `toggle_${layer}`, title: names[`toggle_${layer}`], group: "show", keys: [LAYER_KEYS[layer]], run: () => store.dispatch({ type: "toggle_layer", layer }) });
  }
  registry.add({ id: "board_calls", title: names.board_calls, group: "show", keys: ["Q"], run: () => store.dispatch({ type: "board", board: "calls" }) });
  registry.add({ id: "board_units", title: names.board_units, group: "show", keys: ["W"], run: () => store.dispatch({ type: "board", board: "units" }) });
  registry.add({ id: "collapse_layers", title: names.collapse_layers, group: "show", keys: ["["], run: () => store.dispatch({ type: "collapse", panel: "layers" }) });
  registry.add({ id: "collapse_side", title: names.collapse_side, group: "show", keys: ["]"], run: () => store.dispatch({ type: "collapse", panel: "side" }) });
}

function pageCommands(registry: CommandRegistry, store: Store): void {
  const escape = (): void => store.dispatch({ type: "select", selection: null });
  registry.add({ id: "help", title: names.help, group: "page", keys: ["?"], run: () => store.dispatch({ type: "help", isOpen: !store.state.isHelpOpen }) });
  registry.add({ id: "escape", title: names.escape, group: "page", keys: ["Escape"], run: escape });
  registry.add({ id: "mute", title: names.mute, group: "page", keys: ["M"], run: () => store.dispatch({ type: "mute", isMuted: !store.state.isMuted }) });
}

/** `1` to `9` open what Shift with the same digit saved. One line of the key list stands for all nine. */
function viewCommands(registry: CommandRegistry, reach: Reach, views: SavedViews): void {
  for (let digit = 1; digit <= 9; digit += 1) {
    const open = (): void => {
      const address = views.get(digit);
      if (address === null) reach.say(texts.commands.noView(digit));
      else reach.openAddress(address);
    };
    const save = (): void => {
      views.set(digit, reach.address());
      reach.say(texts.commands.saved(digit));
    };
    registry.add({ id: `open_view_${digit}`, title: names.open_view(digit), group: "page", keys: [String(digit)], listed: digit === 1 ? { title: names.open_views, keys: ["1 – 9"] } : "hidden", run: open });
    registry.add({ id: `save_view_${digit}`, title: names.save_views, group: "page", keys: [`Shift+${digit}`], listed: digit === 1 ? { title: names.save_views, keys: ["Shift+1 – 9"] } : "hidden", run: save });
  }
}

export function pageRegistry(store: Store, reach: Reach, storage: Storage): CommandRegistry {
  const registry = new CommandRegistry();
  moveCommands(registry, store, reach);
  showCommands(registry, store);
  pageCommands(registry, store);
  viewCommands(registry, reach, new SavedViews(storage));
  return registry;
}
