/** Feature layers: whole for every agency the viewer may see. */

import type { Changes, Feature, Snapshot } from "../feed/messages";
import type { Features, FeatureSet } from "./model";

function put(features: Features, layer: string, agency: number, set: FeatureSet): Features {
  const agencies = new Map(features.get(layer));
  agencies.set(agency, set);
  return new Map(features).set(layer, agencies);
}

/** Replace all of a layer of an agency. */
export function applySnapshot(features: Features, message: Snapshot): Features {
  const byId = new Map(message.features.map((feature) => [feature.id, feature]));
  return put(features, message.layer, message.agency, { rev: message.rev, byId });
}

/** Apply changes; those that a snapshot already holds are left out. Changes from a snapshot's revision to itself complete it. */
export function applyChanges(features: Features, message: Changes): Features {
  const known = features.get(message.layer)?.get(message.agency);
  if (known && message.rev <= known.rev && message.prev !== known.rev) return features;
  const byId = new Map(known?.byId);
  for (const feature of message.features) byId.set(feature.id, feature);
  for (const id of message.removed) byId.delete(id);
  return put(features, message.layer, message.agency, { rev: message.rev, byId });
}

/** Drop a layer of an agency at once. */
export function withdrawFeatures(features: Features, layer: string, agency: number): Features {
  const agencies = new Map(features.get(layer));
  if (!agencies.delete(agency)) return features;
  return new Map(features).set(layer, agencies);
}

export interface OwnedFeature {
  readonly agency: number;
  readonly feature: Feature;
}

export function featuresOf(features: Features, layer: string): OwnedFeature[] {
  const owned: OwnedFeature[] = [];
  for (const [agency, { byId }] of features.get(layer) ?? []) {
    for (const feature of byId.values()) owned.push({ agency, feature });
  }
  return owned;
}

export function findFeature(features: Features, layer: string, id: number): OwnedFeature | null {
  for (const [agency, { byId }] of features.get(layer) ?? []) {
    const feature = byId.get(id);
    if (feature) return { agency, feature };
  }
  return null;
}
