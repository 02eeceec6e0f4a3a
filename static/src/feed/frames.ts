/** Binary frames of positions: a header, then blobs of 20-byte records, all little endian and 4-byte aligned. */

export const FRAME_VERSION = 1;
export const ALL_TILES = 0xffffffff;
export const RECORD_BYTES = 20;
const RECORD_WORDS = RECORD_BYTES / 4;
const HEADER_BYTES = 16;
const BLOB_BYTES = 20;

const FLAG_HEADING = 1;
const FLAG_SPEED = 2;
const FLAG_CLOCK_OFF = 4;

export class UnreadableFrame extends Error {}

/** The records of one tile as views onto the received bytes; nothing is copied. */
export interface Blob {
  readonly agency: number;
  readonly tileX: number;
  readonly tileY: number;
  readonly isWhole: boolean;
  readonly count: number;
  readonly words: Uint32Array;
  readonly signed: Int32Array;
  readonly bytes: Uint8Array;
}

export interface Frame {
  readonly seq: number;
  readonly now: number;
  readonly blobs: readonly Blob[];
}

export interface PositionRecord {
  readonly handle: number;
  readonly lon: number;
  readonly lat: number;
  readonly ageMs: number;
  readonly headingDeg: number | null;
  readonly speedMps: number | null;
  readonly status: number;
  readonly isClockOff: boolean;
}

function readBlob(view: DataView, offset: number): Blob {
  if (offset + BLOB_BYTES > view.byteLength) throw new UnreadableFrame("a blob's head is cut off");
  const count = view.getUint32(offset + 16, true);
  const start = offset + BLOB_BYTES;
  if (start + count * RECORD_BYTES > view.byteLength) throw new UnreadableFrame(`${count} records do not fit`);
  return {
    agency: view.getUint32(offset, true),
    tileX: view.getUint32(offset + 4, true),
    tileY: view.getUint32(offset + 8, true),
    isWhole: (view.getUint32(offset + 12, true) & 1) === 1,
    count,
    words: new Uint32Array(view.buffer, start, count * RECORD_WORDS),
    signed: new Int32Array(view.buffer, start, count * RECORD_WORDS),
    bytes: new Uint8Array(view.buffer, start, count * RECORD_BYTES),
  };
}

/** Read a frame. Typed arrays follow the machine's byte order, which is little endian wherever browsers run. */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength < HEADER_BYTES || buffer.byteLength % 4 !== 0) throw new UnreadableFrame(`${buffer.byteLength} bytes`);
  const view = new DataView(buffer);
  const version = view.getUint16(0, true);
  if (version !== FRAME_VERSION) throw new UnreadableFrame(`version ${version}`);
  const blobs: Blob[] = [];
  let offset = HEADER_BYTES;
  for (let left = view.getUint16(2, true); left > 0; left -= 1) {
    const blob = readBlob(view, offset);
    blobs.push(blob);
    offset += BLOB_BYTES + blob.count * RECORD_BYTES;
  }
  if (offset !== buffer.byteLength) throw new UnreadableFrame(`${buffer.byteLength - offset} bytes are left over`);
  return { seq: view.getUint32(4, true), now: view.getFloat64(8, true), blobs };
}

/** Return record `index` of a blob: degrees, meters a second, milliseconds; null where the device did not say. */
export function recordAt(blob: Blob, index: number): PositionRecord {
  const word = index * RECORD_WORDS;
  const byte = index * RECORD_BYTES + 16;
  const flags = blob.bytes[byte + 3] as number;
  return {
    handle: blob.words[word] as number,
    lon: (blob.signed[word + 1] as number) / 1e7,
    lat: (blob.signed[word + 2] as number) / 1e7,
    ageMs: blob.words[word + 3] as number,
    headingDeg: flags & FLAG_HEADING ? ((blob.bytes[byte] as number) * 360) / 256 : null,
    speedMps: flags & FLAG_SPEED ? (blob.bytes[byte + 1] as number) / 2 : null,
    status: blob.bytes[byte + 2] as number,
    isClockOff: (flags & FLAG_CLOCK_OFF) !== 0,
  };
}
