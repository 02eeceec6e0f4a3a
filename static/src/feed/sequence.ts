/** Every server message is numbered from 1 a connection; a missing number means that something was lost. */

export class Sequence {
  #last = 0;

  /** Take the next number. Returns false when it is not the one that was due. */
  accept(seq: number): boolean {
    if (seq !== this.#last + 1) return false;
    this.#last = seq;
    return true;
  }

  get highest(): number {
    return this.#last;
  }
}
