/** What the page asks the server about its own session. */

import type { Desk } from "../state/model";

/** "out": the session is over. "away": nobody answers. */
export type Unlocking = { readonly kind: "open" } | { readonly kind: "out" } | { readonly kind: "away" } | { readonly kind: "refused"; readonly detail: string };

export interface Lock {
  readonly name: string;
  /** What the browser needs to ask for a passkey; null for who has none. */
  readonly passkey: { readonly publicKey: PublicKeyCredentialRequestOptionsJSON } | null;
}

interface Told {
  readonly locked: boolean;
  readonly idle_s: number | null;
  readonly ends_at: string;
  readonly notices: readonly string[];
}

export class SessionRoads {
  constructor(
    private readonly url: string,
    private readonly csrf: string,
  ) {}

  /** `idleMs`: how long nobody has used this desk. Null when the server does not answer, or not to us. */
  async read(idleMs: number): Promise<Desk | null> {
    const answer = await fetch(`${this.url}?idle_s=${(Math.max(0, idleMs) / 1000).toFixed(1)}`).catch(() => null);
    if (!answer?.ok) return null;
    const told = (await answer.json()) as Told;
    return { isLocked: told.locked, idleMs: told.idle_s === null ? null : told.idle_s * 1000, endsAt: Date.parse(told.ends_at), notices: told.notices };
  }

  /** Return whether the server says that the session is over. */
  async isOver(): Promise<boolean> {
    const answer = await fetch(this.url).catch(() => null);
    return answer?.status === 401;
  }

  /** Return whether the server has locked the session. */
  async lock(): Promise<boolean> {
    const answer = await this.#post("lock/", {});
    return answer !== null && answer.ok && ((await answer.json()) as { locked: boolean }).locked;
  }

  async ways(): Promise<Lock | null> {
    const answer = await fetch(`${this.url}unlock/`).catch(() => null);
    return answer?.ok ? ((await answer.json()) as Lock) : null;
  }

  async unlock(proof: { password: string } | { credential: unknown }): Promise<Unlocking> {
    const answer = await this.#post("unlock/", proof);
    if (answer === null || answer.status >= 500) return { kind: "away" };
    if (answer.ok) return { kind: "open" };
    if (answer.status === 401) return { kind: "out" };
    const said = (await answer.json().catch(() => ({}))) as { detail?: string };
    return { kind: "refused", detail: said.detail ?? "" };
  }

  #post(path: string, body: object): Promise<Response | null> {
    const headers = { "content-type": "application/json", "x-csrftoken": this.csrf };
    return fetch(`${this.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
  }
}
