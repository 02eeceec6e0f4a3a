/** The socket of the live page: numbered messages in, acknowledgments and views out, back again after every loss. */

import { reconnectDelayMs } from "./backoff";
import { decodeFrame, type Frame } from "./frames";
import { parseMessage, type ServerMessage, type ViewRequest } from "./messages";
import { Sequence } from "./sequence";

export const SUBPROTOCOL = "rtcc.live.v1";
export const ACKNOWLEDGE_EVERY_MS = 1000;
/** After this much the server should not have to wait for the next second. */
export const ACKNOWLEDGE_EVERY_BYTES = 32_768;
/** A connection that says nothing for this long is given up; heartbeats come each second. */
export const SILENCE_LIMIT_MS = 8000;
/** A server that is starting may take this long to say yes. */
export const OPENING_LIMIT_MS = 15_000;

export type LinkEvent =
  | { readonly kind: "connecting" }
  | { readonly kind: "open" }
  | { readonly kind: "closed"; readonly code: number; readonly reason: string; readonly wasOpen: boolean };

export interface FeedListener {
  message(message: ServerMessage): void;
  frame(frame: Frame): void;
  link(event: LinkEvent): void;
}

export interface FeedOptions {
  readonly silenceLimitMs?: number;
  readonly openingLimitMs?: number;
  readonly acknowledgeEveryMs?: number;
  readonly random?: () => number;
}

export class LiveFeed {
  #socket: WebSocket | null = null;
  #sequence = new Sequence();
  #attempt = 0;
  #view: ViewRequest | null = null;
  #isGreeted = false;
  #acknowledgedAt = 0;
  #unacknowledgedBytes = 0;
  #acknowledging: ReturnType<typeof setInterval> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #options: Required<FeedOptions>;

  constructor(
    readonly url: string,
    private readonly listener: FeedListener,
    options: FeedOptions = {},
  ) {
    this.#options = { silenceLimitMs: SILENCE_LIMIT_MS, openingLimitMs: OPENING_LIMIT_MS, acknowledgeEveryMs: ACKNOWLEDGE_EVERY_MS, random: Math.random, ...options };
  }

  connect(): void {
    this.disconnect();
    this.listener.link({ kind: "connecting" });
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#sequence = new Sequence();
    this.#isGreeted = false;
    let wasOpen = false;
    socket.addEventListener("open", () => {
      wasOpen = true;
      this.#opened(socket);
    });
    socket.addEventListener("message", (event: MessageEvent<string | ArrayBuffer>) => this.#received(socket, event.data));
    socket.addEventListener("close", (event) => this.#closed(socket, event.code, event.reason, wasOpen));
    this.#watchSilence(socket, this.#options.openingLimitMs);
  }

  /** Close for good; `connect` starts again. */
  disconnect(): void {
    clearTimeout(this.#retry);
    this.#letGo(1000, "leaving");
  }

  /** Give up this connection and make a new one after a delay. */
  reconnect(reason: string): void {
    this.#letGo(4000, reason);
    this.listener.link({ kind: "closed", code: 4000, reason, wasOpen: true });
    this.#retryLater();
  }

  /** Say what the map shows; said again after every reconnect. */
  look(view: ViewRequest): void {
    this.#view = view;
    if (this.#isGreeted) this.#send(view);
  }

  #opened(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.listener.link({ kind: "open" });
    this.#watchSilence(socket);
    this.#acknowledgedAt = Date.now();
    this.#acknowledging = setInterval(() => this.#acknowledge(), this.#options.acknowledgeEveryMs);
  }

  #received(socket: WebSocket, data: string | ArrayBuffer): void {
    if (socket !== this.#socket) return;
    this.#watchSilence(socket);
    try {
      if (typeof data === "string") this.#receivedText(data);
      else this.#receivedFrame(data);
      this.#unacknowledgedBytes += typeof data === "string" ? data.length : data.byteLength;
      this.#acknowledge();
    } catch (error) {
      this.reconnect(error instanceof Error ? `unreadable: ${error.message}` : "unreadable");
    }
  }

  #receivedText(data: string): void {
    const { seq, message } = parseMessage(data);
    if (!this.#isDue(seq) || message === null) return;
    this.listener.message(message);
    if (message.type === "hello") this.#greeted();
  }

  #receivedFrame(data: ArrayBuffer): void {
    const frame = decodeFrame(data);
    if (this.#isDue(frame.seq)) this.listener.frame(frame);
  }

  #isDue(seq: number): boolean {
    if (this.#sequence.accept(seq)) return true;
    this.reconnect(`message ${seq} came after ${this.#sequence.highest}`);
    return false;
  }

  #greeted(): void {
    this.#isGreeted = true;
    this.#attempt = 0;
    if (this.#view) this.#send(this.#view);
  }

  /** Timers sleep in hidden tabs, messages do not: an acknowledgment that is due also goes out with the next message. */
  #acknowledge(): void {
    const isMuch = this.#unacknowledgedBytes >= ACKNOWLEDGE_EVERY_BYTES;
    if (!isMuch && Date.now() - this.#acknowledgedAt < this.#options.acknowledgeEveryMs - 5) return;
    this.#unacknowledgedBytes = 0;
    this.#acknowledgedAt = Date.now();
    this.#send({ type: "ack", seq: this.#sequence.highest });
  }

  #closed(socket: WebSocket, code: number, reason: string, wasOpen: boolean): void {
    if (socket !== this.#socket) return;
    this.#letGo(1000, "");
    this.listener.link({ kind: "closed", code, reason, wasOpen });
    this.#retryLater();
  }

  #letGo(code: number, reason: string): void {
    clearInterval(this.#acknowledging);
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    this.#isGreeted = false;
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(code, reason.slice(0, 100));
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.connect(), reconnectDelayMs(this.#attempt, this.#options.random()));
    this.#attempt += 1;
  }

  #watchSilence(socket: WebSocket, limitMs = this.#options.silenceLimitMs): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (socket === this.#socket) this.reconnect("the server went silent");
    }, limitMs);
  }

  #send(body: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(body));
  }
}
