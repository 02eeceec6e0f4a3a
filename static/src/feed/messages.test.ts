import { describe, expect, it } from "vitest";
import { parseMessage, UnreadableMessage } from "./messages";

describe("messages", () => {
  it("reads the number and the body", () => {
    expect(parseMessage('{"seq":7,"type":"reset"}')).toEqual({ seq: 7, message: { seq: 7, type: "reset" } });
  });

  it("counts a type it does not know, and ignores it", () => {
    expect(parseMessage('{"seq":8,"type":"weather"}')).toEqual({ seq: 8, message: null });
  });

  it.each(["{}", "[]", "null", '{"type":"reset"}', '{"seq":"1","type":"reset"}'])("refuses %s", (text) => {
    expect(() => parseMessage(text)).toThrow(UnreadableMessage);
  });

  it("refuses what is not JSON", () => {
    expect(() => parseMessage("{")).toThrow(SyntaxError);
  });
});
