/** How old what we show is: of the link, of a unit, of a feed. Nothing stale may look live. */

import type { FeedHealth } from "../feed/messages";
import type { Link, State } from "./model";

export const LINK_BAD_AFTER_MS = 5_000;
export const NOT_LIVE_AFTER_MS = 10_000;
/** Assumed for a source that does not say how often it reports. */
export const DEFAULT_INTERVAL_S = 30;

export type Liveness = "starting" | "live" | "delayed" | "not_live";
export type Freshness = "fresh" | "late" | "hollow";

/** Return the instance's time now: its last heartbeat carried on at its speed. */
export function serverNow(state: Pick<State, "clock" | "real">): number {
  const { clock, real } = state;
  return clock ? clock.now + (real - clock.at) * clock.speed : real;
}

function silenceMs(link: Link, real: number): number {
  return real - (link.heartbeatAt ?? link.startedAt);
}

/** Judge the link by the age of its newest heartbeat, not by what the socket says of itself. */
export function liveness(link: Link, real: number): Liveness {
  if (link.isSignedOut) return "not_live";
  const silence = silenceMs(link, real);
  if (silence >= NOT_LIVE_AFTER_MS) return "not_live";
  if (link.heartbeatAt === null) return "starting";
  return silence >= LINK_BAD_AFTER_MS ? "delayed" : "live";
}

/** Return the instance's time up to which the page was live; null when it never was. */
export const liveUntil = (link: Link): number | null => link.heartbeatServer;

export function freshness(ageMs: number, intervalS: number | null): Freshness {
  const interval = (intervalS ?? DEFAULT_INTERVAL_S) * 1000;
  if (ageMs > 6 * interval) return "hollow";
  return ageMs > 2 * interval ? "late" : "fresh";
}

/** Judge a feed by its last message; one that never sent anything has nothing to show. */
export function feedFreshness(feed: FeedHealth, now: number): Freshness {
  return feed.last_message_at === null ? "hollow" : freshness(now - feed.last_message_at, feed.interval_s);
}
