/** Every action of the page by its id, with its key. */

export type CommandGroup = "go" | "show" | "page";

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: CommandGroup;
  /** As shown and matched: `F`, `?`, `Escape`, `Ctrl+K`, `Shift+1`. */
  readonly keys: readonly string[];
  /** How the list of keys shows it, where that differs; a series of keys is listed once and the rest hidden. */
  readonly listed?: { readonly title: string; readonly keys: readonly string[] } | "hidden";
  readonly run: () => void;
}

export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** Name a key press the way commands do. Returns null for what commands never use. */
export function nameOfPress(press: KeyPress): string | null {
  if (press.altKey) return null;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(press.code)?.[1];
  const base = digit ?? (press.key.length === 1 ? press.key.toUpperCase() : press.key);
  if (press.ctrlKey || press.metaKey) return `Ctrl+${base}`;
  return digit && press.shiftKey ? `Shift+${digit}` : base;
}

/** True for a key that speech input or typing could strike by accident. */
export const isSingleCharacter = (name: string): boolean => name.replace(/^Shift\+/, "").length === 1;

export class CommandRegistry {
  readonly #commands = new Map<string, Command>();
  readonly #byKey = new Map<string, Command>();

  /** Add a command. Throws when its id or one of its keys is taken. */
  add(command: Command): void {
    if (this.#commands.has(command.id)) throw new Error(`command ${command.id} exists twice`);
    for (const key of command.keys) {
      if (this.#byKey.has(key)) throw new Error(`key ${key} is ${this.#byKey.get(key)?.id}'s and ${command.id}'s`);
      this.#byKey.set(key, command);
    }
    this.#commands.set(command.id, command);
  }

  get all(): readonly Command[] {
    return [...this.#commands.values()];
  }

  run(id: string): void {
    const command = this.#commands.get(id);
    if (!command) throw new Error(`there is no command ${id}`);
    command.run();
  }

  /** Return the command of a key press; single characters only while they are on. */
  ofPress(press: KeyPress, areLettersOn: boolean): Command | null {
    const name = nameOfPress(press);
    if (name === null || (!areLettersOn && isSingleCharacter(name))) return null;
    return this.#byKey.get(name) ?? null;
  }
}
