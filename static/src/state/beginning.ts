/** How far a new instance is: what is missing before something can be on the map. */

import { openCalls } from "./calls";
import type { State } from "./model";

export type Beginning = "no_agency" | "no_source" | "no_message";

/** Return how far a new instance is for this viewer; null once anything came, and before the feeds are known. */
export function beginning(state: Pick<State, "hello" | "feeds" | "features" | "fleet" | "link">): Beginning | null {
  const { hello, feeds, features, fleet, link } = state;
  if (!hello || link.heartbeatAt === null || link.isSignedOut) return null;
  if (hello.agencies.length === 0) return "no_agency";
  const hasCome = feeds.some((feed) => feed.last_message_at !== null) || fleet.positions.size > 0 || openCalls({ features }).length > 0;
  if (hasCome) return null;
  return feeds.length === 0 ? "no_source" : "no_message";
}
