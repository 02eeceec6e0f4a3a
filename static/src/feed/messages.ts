/** The JSON messages of `rtcc.live.v1`. Times are milliseconds since 1970 unless they sit inside feature properties. */

import type { Geometry } from "geojson";
import type { AgencyUnits } from "../geometry/format";

export type Origin = "live" | "exercise" | "simulated" | "replayed";

export interface StatusDefinition {
  readonly number: number;
  readonly code: string;
  readonly label: string;
  readonly letter: string;
  readonly meaning: string;
}

export interface PriorityDefinition {
  readonly code: string;
  readonly label: string;
  readonly rank: number;
}

export interface Agency {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly time_zone: string;
  readonly units: AgencyUnits;
  readonly extent: readonly [number, number, number, number] | null;
  readonly statuses: readonly StatusDefinition[];
  readonly priorities: readonly PriorityDefinition[];
}

export interface LayerInfo {
  readonly name: string;
  readonly title: string;
  readonly kind: "positions" | "features";
  readonly agencies: readonly number[];
}

export interface Hello {
  readonly seq: number;
  readonly type: "hello";
  readonly protocol: string;
  readonly instance: { readonly kind: string; readonly origins: readonly Origin[] };
  readonly clock: { readonly now: number; readonly speed: number };
  readonly tile_zoom: number;
  readonly heartbeat_s: number;
  readonly member: { readonly username: string; readonly name: string; readonly roles: readonly string[] };
  readonly agencies: readonly Agency[];
  readonly layers: readonly LayerInfo[];
}

/** A GeoJSON feature; a call that could not be located has no geometry. */
export interface Feature {
  readonly type: "Feature";
  readonly id: number;
  readonly geometry: Geometry | null;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface Snapshot {
  readonly seq: number;
  readonly type: "snapshot";
  readonly layer: string;
  readonly agency: number;
  readonly rev: number;
  readonly features: readonly Feature[];
}

export interface Changes {
  readonly seq: number;
  readonly type: "changes";
  readonly layer: string;
  readonly agency: number;
  readonly prev: number;
  readonly rev: number;
  readonly features: readonly Feature[];
  readonly removed: readonly number[];
}

export interface IntroducedUnit {
  readonly handle: number;
  readonly id: number;
  readonly unit: string | null;
  readonly name: string | null;
  readonly kind: string | null;
  readonly origin: Origin;
  readonly source: string | null;
  readonly interval_s: number | null;
}

export interface Introduce {
  readonly seq: number;
  readonly type: "introduce";
  readonly layer: string;
  readonly agency: number;
  readonly units: readonly IntroducedUnit[];
}

export interface Withdraw {
  readonly seq: number;
  readonly type: "withdraw";
  readonly layer: string;
  readonly agency: number;
}

export interface FeedHealth {
  readonly source: string;
  readonly name: string;
  readonly agency: number;
  readonly layer: string;
  readonly origin: Origin;
  readonly last_message_at: number | null;
  readonly interval_s: number | null;
  readonly rejects_hour: number;
}

/** Counts by layer, then by agency id. */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Heartbeat {
  readonly seq: number;
  readonly type: "heartbeat";
  readonly now: number;
  readonly speed: number;
  readonly counts: Counts;
  readonly unlocated: Readonly<Record<string, number>>;
  readonly feeds: readonly FeedHealth[];
}

export interface Reset {
  readonly seq: number;
  readonly type: "reset";
}

export type ServerMessage = Hello | Snapshot | Changes | Introduce | Withdraw | Heartbeat | Reset;

export interface ViewRequest {
  readonly type: "view";
  readonly bbox: readonly [number, number, number, number];
  readonly zoom: number;
}

const TYPES = new Set(["hello", "snapshot", "changes", "introduce", "withdraw", "heartbeat", "reset"]);

export class UnreadableMessage extends Error {}

/** Read a numbered message. Unknown types come back as null, so that a newer server can say more. */
export function parseMessage(text: string): { seq: number; message: ServerMessage | null } {
  const body: unknown = JSON.parse(text);
  if (typeof body !== "object" || body === null) throw new UnreadableMessage("a message is not an object");
  const { seq, type } = body as { seq?: unknown; type?: unknown };
  if (typeof seq !== "number" || typeof type !== "string") throw new UnreadableMessage("a message has no number or no type");
  return { seq, message: TYPES.has(type) ? (body as ServerMessage) : null };
}
