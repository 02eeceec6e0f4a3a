import { describe, expect, it } from "vitest";
import { ALL_TILES, decodeFrame, recordAt, UnreadableFrame } from "./frames";
import { writeFrame } from "./frames.fixture";

describe("frames", () => {
  it("reads the header and every blob", () => {
    const frame = decodeFrame(
      writeFrame([{ agency: 3, tile: [1925, 3386], whole: true, records: [{ handle: 1, lon: -95.36, lat: 29.76 }] }, { records: [] }], 42, 1_800_000_000_123.5),
    );
    expect([frame.seq, frame.now, frame.blobs.length]).toEqual([42, 1_800_000_000_123.5, 2]);
    expect(frame.blobs[0]).toMatchObject({ agency: 3, tileX: 1925, tileY: 3386, isWhole: true, count: 1 });
    expect(frame.blobs[1]).toMatchObject({ tileX: ALL_TILES, tileY: ALL_TILES, isWhole: false, count: 0 });
  });

  it("reads a record in degrees, meters a second and milliseconds", () => {
    const record = { handle: 4_000_000_000, lon: -95.3612345, lat: -29.7654321, ageMs: 1500, heading: 64, speed: 25, status: 4, flags: 7 };
    const frame = decodeFrame(writeFrame([{ records: [{ handle: 1, lon: 0, lat: 0 }, record] }]));
    expect(recordAt(frame.blobs[0]!, 1)).toEqual({
      handle: 4_000_000_000, lon: -95.3612345, lat: -29.7654321, ageMs: 1500, headingDeg: 90, speedMps: 12.5, status: 4, isClockOff: true,
    });
  });

  it("does not invent a heading or a speed", () => {
    const frame = decodeFrame(writeFrame([{ records: [{ handle: 1, lon: 0, lat: 0, heading: 9, speed: 9, flags: 0 }] }]));
    expect(recordAt(frame.blobs[0]!, 0)).toMatchObject({ headingDeg: null, speedMps: null, isClockOff: false });
  });

  it("refuses other versions, cut frames and left-over bytes", () => {
    const good = writeFrame([{ records: [{ handle: 1, lon: 0, lat: 0 }] }]);
    const other = good.slice(0);
    new DataView(other).setUint16(0, 2, true);
    const longer = new Uint8Array(good.byteLength + 4);
    longer.set(new Uint8Array(good));
    for (const bad of [other, good.slice(0, 12), good.slice(0, 36), good.slice(0, 40), longer.buffer]) {
      expect(() => decodeFrame(bad)).toThrow(UnreadableFrame);
    }
  });
});
