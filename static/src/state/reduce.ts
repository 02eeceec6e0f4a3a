/** The one place where state changes: a pure function of state and action. */

import type { Heartbeat, Hello, ServerMessage, Withdraw } from "../feed/messages";
import type { LinkEvent } from "../feed/live";
import { type BoundingBox, tileRange } from "../geometry/tiles";
import { applyChanges, applySnapshot, withdrawFeatures } from "./features";
import { applyFrame, introduce, resetPositions, watch, withdrawAgency } from "./fleet";
import { type Action, EMPTY_FLEET, type State } from "./model";
import { withOpacity } from "./opacity";

/** A new connection starts from nothing: handles are its own, and snapshots follow. Only a heartbeat makes it live.
 * A later greeting on the same connection says that the profile or the rights changed, and takes nothing away. */
function greet(state: State, message: Hello, real: number): State {
  const greeted = { ...state, hello: message, clock: { ...message.clock, at: real } };
  if (message.seq > 1) return { ...greeted, fleet: { ...state.fleet } };
  return {
    ...greeted,
    features: new Map(),
    fleet: { ...EMPTY_FLEET, watched: state.fleet.watched },
  };
}

function beat(state: State, message: Heartbeat, real: number): State {
  const { now, speed, counts, unlocated, feeds } = message;
  const link = { ...state.link, heartbeatAt: real, heartbeatServer: now };
  return { ...state, clock: { now, speed, at: real }, link, counts, unlocated, feeds };
}

function withdraw(state: State, { layer, agency }: Withdraw): State {
  const features = withdrawFeatures(state.features, layer, agency);
  return { ...state, features, fleet: layer === "units" ? withdrawAgency(state.fleet, agency) : state.fleet };
}

function receive(state: State, message: ServerMessage, real: number): State {
  switch (message.type) {
    case "hello":
      return greet(state, message, real);
    case "heartbeat":
      return beat(state, message, real);
    case "snapshot":
      return { ...state, features: applySnapshot(state.features, message) };
    case "changes":
      return { ...state, features: applyChanges(state.features, message) };
    case "introduce":
      return { ...state, fleet: introduce(state.fleet, message) };
    case "withdraw":
      return withdraw(state, message);
    case "reset":
      return { ...state, features: new Map(), fleet: resetPositions(state.fleet) };
  }
}

/** Close codes that say: this session, or its rights, ended. */
const NOT_SIGNED_IN = 4401;
const NOT_ALLOWED = 4403;

/** What the viewer may no longer see goes at once. */
function forget(state: State): State {
  return { ...state, features: new Map(), fleet: { ...EMPTY_FLEET, watched: state.fleet.watched }, counts: {}, unlocated: {}, feeds: [] };
}

function isRefusal(event: LinkEvent): boolean {
  return event.kind === "closed" && (event.code === NOT_SIGNED_IN || event.code === NOT_ALLOWED);
}

function relink(before: State, event: LinkEvent): State {
  const state = isRefusal(event) ? forget(before) : before;
  const reconnects = state.link.reconnects + (event.kind === "closed" ? 1 : 0);
  const isSignedOut = event.kind === "open" ? false : state.link.isSignedOut;
  return { ...state, link: { ...state.link, phase: event.kind, reconnects, isSignedOut } };
}

function look(state: State, bbox: BoundingBox): State {
  const zoom = state.hello?.tile_zoom;
  return zoom === undefined ? state : { ...state, fleet: watch(state.fleet, tileRange(bbox, zoom)) };
}

function toggled<T>(set: ReadonlySet<T>, value: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "tick":
      return { ...state, real: action.real };
    case "message":
      return receive({ ...state, real: action.real }, action.message, action.real);
    case "frame":
      return { ...state, fleet: applyFrame(state.fleet, action.frame) };
    case "link":
      return relink({ ...state, real: action.real }, action.event);
    case "signed_out":
      return forget({ ...state, link: { ...state.link, isSignedOut: true } });
    case "look":
      return look(state, action.bbox);
    case "select":
      return { ...state, selection: action.selection, found: null, isFollowing: false };
    case "follow":
      return { ...state, isFollowing: action.isFollowing && state.selection !== null };
    case "toggle_layer":
      return { ...state, hidden: toggled(state.hidden, action.layer) };
    case "hide_layers":
      return { ...state, hidden: new Set(action.layers) };
    case "opacity":
      return { ...state, opacity: withOpacity(state.opacity, action.layer, action.percent) };
    case "opacities":
      return { ...state, opacity: action.opacity };
    case "find":
      return { ...state, found: action.found, isFollowing: false };
    case "board":
      return { ...state, board: action.board };
    case "mute":
      return { ...state, isMuted: action.isMuted };
    case "help":
      return { ...state, isHelpOpen: action.isOpen };
    case "desk":
      return { ...state, desk: action.desk };
    case "lock":
      return { ...state, desk: { ...state.desk, isLocked: action.isLocked } };
    case "letters":
      return { ...state, areLettersOn: action.areOn };
    case "collapse":
      return { ...state, collapsed: toggled(state.collapsed, action.panel) };
  }
}
