/** Everything the page shows, as plain values. `server` times are the instance's clock, `real` times are this machine's. */

import type { Frame } from "../feed/frames";
import type { LinkEvent } from "../feed/live";
import type { Counts, Feature, FeedHealth, Hello, IntroducedUnit, ServerMessage } from "../feed/messages";
import type { BoundingBox, TileRange } from "../geometry/tiles";

export type LayerName = "units" | "calls" | "fences" | "boundaries";
export const LAYER_NAMES: readonly LayerName[] = ["units", "calls", "fences", "boundaries"];

/** Percent of layers that are not drawn in full. */
export type Opacities = Readonly<Partial<Record<LayerName, number>>>;

/** A place that someone looked for: the middle of a square of `sizeM` meters. */
export interface FoundPlace {
  readonly text: string;
  readonly place: readonly [lon: number, lat: number];
  readonly sizeM: number;
}

export interface Selection {
  readonly layer: LayerName;
  readonly id: number;
}

export interface Introduced extends IntroducedUnit {
  readonly agency: number;
  /** Equal for the devices of one call sign of one agency. */
  readonly key: string;
}

export interface Position {
  readonly handle: number;
  readonly agency: number;
  readonly lon: number;
  readonly lat: number;
  readonly observedAt: number;
  readonly headingDeg: number | null;
  readonly speedMps: number | null;
  readonly status: number;
  /** When the status was first seen; a lower bound unless `isSinceExact`. */
  readonly statusSince: number;
  readonly isSinceExact: boolean;
  readonly isClockOff: boolean;
}

export interface Fleet {
  readonly introduced: ReadonlyMap<number, Introduced>;
  readonly positions: ReadonlyMap<number, Position>;
  /** The tiles that the map watches; null before the first view. */
  readonly watched: TileRange | null;
  /** Agencies whose positions come whole, whatever the view. */
  readonly whole: ReadonlySet<number>;
}

export interface FeatureSet {
  readonly rev: number;
  readonly byId: ReadonlyMap<number, Feature>;
}

export type Features = ReadonlyMap<string, ReadonlyMap<number, FeatureSet>>;

export interface Link {
  readonly phase: "connecting" | "open" | "closed";
  readonly startedAt: number;
  readonly heartbeatAt: number | null;
  readonly heartbeatServer: number | null;
  readonly reconnects: number;
  readonly isSignedOut: boolean;
}

/** This browser's session. `idleMs` null: the desk never locks. */
export interface Desk {
  readonly isLocked: boolean;
  readonly idleMs: number | null;
  readonly endsAt: number | null;
  readonly notices: readonly string[];
}

export interface ServerClock {
  readonly now: number;
  readonly speed: number;
  readonly at: number;
}

export type Board = "calls" | "units";

export interface State {
  readonly real: number;
  readonly link: Link;
  readonly desk: Desk;
  readonly clock: ServerClock | null;
  readonly hello: Hello | null;
  readonly features: Features;
  readonly fleet: Fleet;
  readonly counts: Counts;
  readonly unlocated: Readonly<Record<string, number>>;
  readonly feeds: readonly FeedHealth[];
  readonly hidden: ReadonlySet<string>;
  readonly opacity: Opacities;
  readonly found: FoundPlace | null;
  readonly selection: Selection | null;
  readonly isFollowing: boolean;
  readonly board: Board;
  readonly isMuted: boolean;
  readonly isHelpOpen: boolean;
  readonly areLettersOn: boolean;
  readonly collapsed: ReadonlySet<"layers" | "side">;
}

export type Action =
  | { readonly type: "tick"; readonly real: number }
  | { readonly type: "message"; readonly message: ServerMessage; readonly real: number }
  | { readonly type: "frame"; readonly frame: Frame }
  | { readonly type: "link"; readonly event: LinkEvent; readonly real: number }
  | { readonly type: "signed_out" }
  | { readonly type: "desk"; readonly desk: Desk }
  | { readonly type: "lock"; readonly isLocked: boolean }
  | { readonly type: "look"; readonly bbox: BoundingBox }
  | { readonly type: "select"; readonly selection: Selection | null }
  | { readonly type: "follow"; readonly isFollowing: boolean }
  | { readonly type: "toggle_layer"; readonly layer: string }
  | { readonly type: "hide_layers"; readonly layers: readonly string[] }
  | { readonly type: "opacity"; readonly layer: LayerName; readonly percent: number }
  | { readonly type: "opacities"; readonly opacity: Opacities }
  | { readonly type: "find"; readonly found: FoundPlace }
  | { readonly type: "board"; readonly board: Board }
  | { readonly type: "mute"; readonly isMuted: boolean }
  | { readonly type: "help"; readonly isOpen: boolean }
  | { readonly type: "letters"; readonly areOn: boolean }
  | { readonly type: "collapse"; readonly panel: "layers" | "side" };

export const EMPTY_FLEET: Fleet = { introduced: new Map(), positions: new Map(), watched: null, whole: new Set() };

export function initialState(real: number): State {
  return {
    real,
    link: { phase: "connecting", startedAt: real, heartbeatAt: null, heartbeatServer: null, reconnects: 0, isSignedOut: false },
    desk: { isLocked: false, idleMs: null, endsAt: null, notices: [] },
    clock: null,
    hello: null,
    features: new Map(),
    fleet: EMPTY_FLEET,
    counts: {},
    unlocated: {},
    feeds: [],
    hidden: new Set(),
    opacity: {},
    found: null,
    selection: null,
    isFollowing: false,
    board: "calls",
    isMuted: false,
    isHelpOpen: false,
    areLettersOn: true,
    collapsed: new Set(),
  };
}
