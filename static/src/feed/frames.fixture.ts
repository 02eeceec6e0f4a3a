/** Writes frames the way the server does, for tests. */

export interface WrittenRecord {
  readonly handle: number;
  readonly lon: number;
  readonly lat: number;
  readonly ageMs?: number;
  readonly heading?: number;
  readonly speed?: number;
  readonly status?: number;
  readonly flags?: number;
}

export interface WrittenBlob {
  readonly agency?: number;
  readonly tile?: readonly [number, number];
  readonly whole?: boolean;
  readonly records: readonly WrittenRecord[];
}

function writeRecord(view: DataView, at: number, record: WrittenRecord): void {
  view.setUint32(at, record.handle, true);
  view.setInt32(at + 4, Math.round(record.lon * 1e7), true);
  view.setInt32(at + 8, Math.round(record.lat * 1e7), true);
  view.setUint32(at + 12, record.ageMs ?? 0, true);
  [record.heading ?? 0, record.speed ?? 0, record.status ?? 0, record.flags ?? 3].forEach((value, i) => view.setUint8(at + 16 + i, value));
}

function writeBlobHead(view: DataView, at: number, blob: WrittenBlob): void {
  const [x, y] = blob.tile ?? [0xffffffff, 0xffffffff];
  [blob.agency ?? 1, x, y, blob.whole ? 1 : 0, blob.records.length].forEach((value, i) => view.setUint32(at + 4 * i, value, true));
}

export function writeFrame(blobs: readonly WrittenBlob[], seq = 1, now = 1_000_000): ArrayBuffer {
  const size = blobs.reduce((sum, blob) => sum + 20 + 20 * blob.records.length, 16);
  const view = new DataView(new ArrayBuffer(size));
  view.setUint16(0, 1, true);
  view.setUint16(2, blobs.length, true);
  view.setUint32(4, seq, true);
  view.setFloat64(8, now, true);
  let at = 16;
  for (const blob of blobs) {
    writeBlobHead(view, at, blob);
    blob.records.forEach((record, i) => writeRecord(view, at + 20 + 20 * i, record));
    at += 20 + 20 * blob.records.length;
  }
  return view.buffer as ArrayBuffer;
}
