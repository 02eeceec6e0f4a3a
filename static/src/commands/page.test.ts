import { beforeEach, describe, expect, it } from "vitest";
import type { Selection } from "../state/model";
import { call, greeted, receive } from "../state/state.fixture";
import { Store } from "../state/store";
import { pageRegistry, type Reach } from "./page";
import type { CommandRegistry } from "./registry";

let store: Store;
let registry: CommandRegistry;
const did: string[] = [];
const kept = new Map<string, string>();
const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) } as unknown as Storage;

const reach: Reach = {
  openSearch: () => did.push("search"),
  center: () => did.push("center"),
  home: () => did.push("home"),
  zoomBy: (steps) => did.push(`zoom ${steps}`),
  choose: (selection: Selection) => store.dispatch({ type: "select", selection }),
  address: () => "#12/29/-95",
  openAddress: (address) => did.push(`open ${address}`),
  say: (words) => did.push(words),
};

beforeEach(() => {
  did.length = 0;
  kept.clear();
  const features = [call(1, { state: "active" }), call(2, { rank: 0 }), call(3, {}, null)];
  store = new Store(greeted(receive({ seq: 2, type: "snapshot", layer: "calls", agency: 1, rev: 1, features })));
  registry = pageRegistry(store, reach, storage);
});

describe("commands", () => {
  it("walk through the calls in the board's order, round and round", () => {
    const walked = ["next_call", "next_call", "next_call", "next_call", "previous_call"].map((id) => {
      registry.run(id);
      return store.state.selection?.id;
    });
    expect(walked).toEqual([3, 2, 1, 3, 1]);
  });

  it("follow units only", () => {
    registry.run("next_call");
    registry.run("follow");
    expect(store.state.isFollowing).toBe(false);
    store.dispatch({ type: "select", selection: { layer: "units", id: 7 } });
    registry.run("follow");
    expect(store.state.isFollowing).toBe(true);
    registry.run("escape");
    expect(store.state).toMatchObject({ isFollowing: false, selection: null });
  });

  it("keep and open views by digit", () => {
    registry.run("open_view_3");
    registry.run("save_view_3");
    registry.run("open_view_3");
    expect(did).toEqual(["View 3 is empty. Press Shift+3 to save this view there.", "View 3 saved. Press 3 to come back.", "open #12/29/-95"]);
  });

  it("show and hide layers, boards and panels", () => {
    for (const id of ["toggle_fences", "board_units", "collapse_side", "mute", "help"]) registry.run(id);
    const { hidden, board, collapsed, isMuted, isHelpOpen } = store.state;
    expect([[...hidden], board, [...collapsed], isMuted, isHelpOpen]).toEqual([["fences"], "units", ["side"], true, true]);
  });
});
