/** What every panel has in common: the page it belongs to, and drawing again when what it shows changed. */

import { LitElement } from "lit";
import type { CommandRegistry } from "../commands/registry";
import { DEFAULT_UNITS, type AgencyUnits } from "../geometry/format";
import type { SessionRoads } from "../feed/session";
import { serverNow } from "../state/freshness";
import type { FoundPlace, Selection, State } from "../state/model";
import type { Store } from "../state/store";
import { agencyOf, zoneOf } from "../state/units";

/** The page as panels see it: its state, and what they may ask for. */
export interface Page {
  readonly store: Store;
  readonly commands: CommandRegistry;
  readonly signOutUrl: string;
  readonly signInUrl: string;
  /** Where administrators begin: how the instance is, or (for those of one agency) its audit. */
  readonly overviewUrl: string;
  /** Where this browser's session is asked for, locked and unlocked. */
  readonly session: SessionRoads;
  /** Where the administration pages are; null for who may not use them. */
  readonly adminUrl: string | null;
  choose(selection: Selection): void;
  goTo(found: FoundPlace): void;
}

export abstract class Panel extends LitElement {
  static override properties = { page: { attribute: false } };
  declare page: Page;
  #unsubscribe: (() => void) | undefined;

  get state(): State {
    return this.page.store.state;
  }

  get now(): number {
    return serverNow(this.state);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#unsubscribe = this.page.store.subscribe((state, before) => {
      if (this.concerns(state, before)) this.requestUpdate();
    });
  }

  override disconnectedCallback(): void {
    this.#unsubscribe?.();
    super.disconnectedCallback();
  }

  /** True when the panel must be drawn again. Positions alone move no panel: ages are drawn once a second. */
  protected concerns(state: State, before: State): boolean {
    return hasNewSecond(state, before) || hasNewMatter(state, before);
  }

  protected timeZone(agency: number | undefined = this.state.hello?.agencies[0]?.id): string {
    return zoneOf(this.state, agency);
  }

  protected units(agency: number): AgencyUnits {
    return agencyOf(this.state, agency)?.units ?? DEFAULT_UNITS;
  }
}

export function hasNewSecond(state: State, before: State): boolean {
  return Math.floor(state.real / 1000) !== Math.floor(before.real / 1000);
}

const MATTER = ["hello", "features", "hidden", "opacity", "found", "selection", "isFollowing", "board", "isMuted", "isHelpOpen", "areLettersOn", "collapsed", "link", "desk"] as const;

export function hasNewMatter(state: State, before: State): boolean {
  return MATTER.some((key) => state[key] !== before[key]);
}
