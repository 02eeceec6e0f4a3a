import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { writeFrame } from "./frames.fixture";
import { type LinkEvent, LiveFeed, SUBPROTOCOL } from "./live";
import { LoopbackServer, type Peer } from "./live.fixture";
import type { ServerMessage, ViewRequest } from "./messages";

const VIEW: ViewRequest = { type: "view", bbox: [-96, 29, -95, 30], zoom: 11 };
const HELLO = { seq: 1, type: "hello" };

let server: LoopbackServer;
let feed: LiveFeed;
const messages: ServerMessage[] = [];
const frames: number[] = [];
const links: LinkEvent[] = [];

beforeEach(async () => {
  for (const list of [messages, frames, links]) list.length = 0;
  server = new LoopbackServer();
  const url = await server.listen();
  const listener = {
    message: (message: ServerMessage) => messages.push(message),
    frame: (frame: { seq: number }) => frames.push(frame.seq),
    link: (event: LinkEvent) => links.push(event),
  };
  feed = new LiveFeed(url, listener, { random: () => 0, acknowledgeEveryMs: 40, silenceLimitMs: 400 });
  feed.connect();
});

afterEach(() => {
  feed.disconnect();
  server.close();
});

async function peer(index = 0): Promise<Peer> {
  await vi.waitFor(() => expect(server.peers.length).toBeGreaterThan(index), { timeout: 3000 });
  return server.peers[index]!;
}

describe("the live feed", () => {
  it("asks for the subprotocol and says its view after the greeting", async () => {
    feed.look(VIEW);
    const client = await peer();
    expect(client.protocol).toBe(SUBPROTOCOL);
    client.send(HELLO);
    await vi.waitFor(() => expect(client.received).toContainEqual(VIEW));
    expect(messages.map((message) => message.type)).toEqual(["hello"]);
  });

  it("acknowledges the highest number it has", async () => {
    const client = await peer();
    client.send(HELLO);
    client.send(writeFrame([], 2));
    await vi.waitFor(() => expect(client.received).toContainEqual({ type: "ack", seq: 2 }));
    expect(frames).toEqual([2]);
  });

  it("acknowledges at once after much data", async () => {
    const quiet = { message: () => undefined, frame: () => undefined, link: () => undefined };
    const busy = new LiveFeed(feed.url, quiet, { acknowledgeEveryMs: 60_000 });
    busy.connect();
    const client = await peer(1);
    client.send({ ...HELLO, padding: "x".repeat(30_000) });
    client.send({ seq: 2, type: "reset", padding: "x".repeat(8_000) });
    await vi.waitFor(() => expect(client.received).toContainEqual({ type: "ack", seq: 2 }));
    busy.disconnect();
  });

  it("connects again after a gap, and drops what came after it", async () => {
    feed.look(VIEW);
    (await peer()).send(HELLO);
    (await peer()).send({ seq: 3, type: "reset" });
    const second = await peer(1);
    second.send(HELLO);
    await vi.waitFor(() => expect(second.received).toContainEqual(VIEW));
    expect(messages.map((message) => message.type)).toEqual(["hello", "hello"]);
    expect(links.find((event) => event.kind === "closed")).toMatchObject({ code: 4000, reason: "message 3 came after 1" });
  });

  it("connects again after an unreadable frame", async () => {
    (await peer()).send(new ArrayBuffer(8));
    await peer(1);
    expect(frames).toEqual([]);
  });

  it("connects again when the server falls silent", async () => {
    (await peer()).send(HELLO);
    await peer(1);
    expect(links.at(-1)?.kind).not.toBe("closed");
    expect(links).toContainEqual({ kind: "closed", code: 4000, reason: "the server went silent", wasOpen: true });
  });

  it("connects again when the connection breaks", async () => {
    (await peer()).drop();
    await peer(1);
    expect(links.filter((event) => event.kind === "connecting")).toHaveLength(2);
  });
});
