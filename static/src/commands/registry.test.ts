import { describe, expect, it } from "vitest";
import { type Command, CommandRegistry, type KeyPress, nameOfPress } from "./registry";

const press = (key: string, code = "", extra: Partial<KeyPress> = {}): KeyPress => ({
  key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...extra,
});
const command = (id: string, keys: string[], run = (): void => undefined): Command => ({ id, title: id, group: "go", keys, run });

describe("keys", () => {
  it("names presses the way they are listed", () => {
    expect(nameOfPress(press("f"))).toBe("F");
    expect(nameOfPress(press("k", "KeyK", { ctrlKey: true }))).toBe("Ctrl+K");
    expect(nameOfPress(press("!", "Digit1", { shiftKey: true }))).toBe("Shift+1");
    expect(nameOfPress(press("Escape"))).toBe("Escape");
    expect(nameOfPress(press("?", "Slash", { shiftKey: true }))).toBe("?");
    expect(nameOfPress(press("f", "KeyF", { altKey: true }))).toBeNull();
  });

  it("finds the command, and only named keys while letters are off", () => {
    const registry = new CommandRegistry();
    registry.add(command("follow", ["F"]));
    registry.add(command("escape", ["Escape"]));
    expect(registry.ofPress(press("f"), true)?.id).toBe("follow");
    expect(registry.ofPress(press("f"), false)).toBeNull();
    expect(registry.ofPress(press("Escape"), false)?.id).toBe("escape");
  });

  it("refuses an id or a key twice", () => {
    const registry = new CommandRegistry();
    registry.add(command("follow", ["F"]));
    expect(() => registry.add(command("follow", []))).toThrow("twice");
    expect(() => registry.add(command("fences", ["F"]))).toThrow("key F");
  });

  it("runs by id", () => {
    const registry = new CommandRegistry();
    const ran: string[] = [];
    registry.add(command("home", ["H"], () => ran.push("home")));
    registry.run("home");
    expect(ran).toEqual(["home"]);
    expect(() => registry.run("nowhere")).toThrow("no command");
  });
});
