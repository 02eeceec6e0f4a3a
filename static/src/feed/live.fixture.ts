/** A small real WebSocket server on loopback, for tests: text and binary frames, no fragments. */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

function writeWireFrame(opcode: number, payload: Buffer): Buffer {
  const head = payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length]) : Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, payload]);
}

/** Read one masked client frame shorter than 64 kB. */
function readWireFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | null {
  if (bytes.length < 6) return null;
  const short = (bytes[1] as number) & 127;
  const head = short === 126 ? 4 : 2;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  const size = head + 4 + length;
  if (bytes.length < size) return null;
  const payload = Buffer.from(bytes.subarray(head + 4, size));
  for (let i = 0; i < length; i += 1) payload[i] = (payload[i] as number) ^ (bytes[head + (i % 4)] as number);
  return { opcode: (bytes[0] as number) & 15, payload, size };
}

export class Peer {
  readonly received: Record<string, unknown>[] = [];
  #pending = Buffer.alloc(0);

  constructor(
    private readonly stream: Duplex,
    readonly protocol: string | undefined,
  ) {
    stream.on("data", (bytes: Buffer) => this.#read(bytes));
    stream.on("error", () => stream.destroy());
  }

  send(body: object | ArrayBuffer): void {
    if (body instanceof ArrayBuffer) this.stream.write(writeWireFrame(2, Buffer.from(body)));
    else this.stream.write(writeWireFrame(1, Buffer.from(JSON.stringify(body))));
  }

  drop(): void {
    this.stream.destroy();
  }

  #read(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    for (let frame = readWireFrame(this.#pending); frame; frame = readWireFrame(this.#pending)) {
      this.#pending = this.#pending.subarray(frame.size);
      if (frame.opcode === 1) this.received.push(JSON.parse(frame.payload.toString()));
      if (frame.opcode === 8) this.stream.end(writeWireFrame(8, frame.payload.subarray(0, 2)));
    }
  }
}

export class LoopbackServer {
  readonly peers: Peer[] = [];
  readonly #server: Server = createServer();

  async listen(): Promise<string> {
    this.#server.on("upgrade", (request, stream) => this.#upgrade(request, stream));
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/live/`;
  }

  close(): void {
    for (const peer of this.peers) peer.drop();
    this.#server.close();
  }

  #upgrade(request: IncomingMessage, stream: Duplex): void {
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${ACCEPT_SUFFIX}`).digest("base64");
    const protocol = request.headers["sec-websocket-protocol"];
    stream.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`);
    this.peers.push(new Peer(stream, protocol));
  }
}
