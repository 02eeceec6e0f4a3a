/** Views that a person keeps under the digits 1 to 9, in this browser. */

export class SavedViews {
  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem">) {}

  get(digit: number): string | null {
    return this.storage.getItem(`rtcc.view.${digit}`);
  }

  set(digit: number, address: string): void {
    this.storage.setItem(`rtcc.view.${digit}`, address);
  }
}
