import { describe, expect, it } from "vitest";
import { distanceM } from "./circle";
import { parseGridReference } from "./mgrs";

/** Meters of a zone by PROJ (see utm.test.ts), lettered by hand from the tables of NGA.STND.0037 (columns by zone, rows by zone and band). */
const KNOWN = [
  ["15R TN 70857 94589", -95.3698, 29.7604],
  ["18S UJ 23478 06483", -77.0353, 38.8895],
  ["56H LH 34900 52288", 151.2153, -33.8568],
  ["32V KN 97353 00648", 5.3221, 60.3913],
  ["17M QV 81861 80007", -78.4678, -0.1807],
  ["4Q FJ 18417 56542", -157.8583, 21.3069],
  ["33X WG 14429 83357", 15.6333, 78.2232],
  ["19F EV 44805 27029", -68.303, -54.8019],
] as const;

describe("grid references", () => {
  it.each(KNOWN)("puts %s where it is", (text, lon, lat) => {
    const read = parseGridReference(text);
    expect(read).toMatchObject({ text, sizeM: 1 });
    expect(distanceM(read?.place ?? [0, 0], [lon, lat])).toBeLessThan(1);
  });

  it.each(["15R TN 70857 94589", "15RTN7085794589", "15r tn 7085794589", " 15RTN 70857 94589 ", "15R  TN70857  94589"])("reads %s in any spacing", (text) => {
    expect(parseGridReference(text)?.text).toBe("15R TN 70857 94589");
  });

  it.each([
    ["15R TN 70857 94589", 1],
    ["15R TN 7085 9458", 10],
    ["15R TN 708 945", 100],
    ["15R TN 70 94", 1000],
    ["15R TN 7 9", 10_000],
  ])("takes the middle of the square of %s", (text, sizeM) => {
    const read = parseGridReference(text);
    expect(read?.sizeM).toBe(sizeM);
    expect(distanceM(read?.place ?? [0, 0], [-95.3698, 29.7604])).toBeLessThan(sizeM * 0.75);
  });

  it.each([
    ["too many figures", "15R TN 7085794589 1"],
    ["an odd number of figures", "15R TN 708579458"],
    ["parts of unequal length", "15R TN 70857 9458"],
    ["no figures", "15R TN"],
    ["a zone that is not there", "61R TN 70857 94589"],
    ["a band that is not there", "15I TN 70857 94589"],
    ["a column of another zone", "15R AN 70857 94589"],
    ["a row that lies outside the band", "15R TA 70857 94589"],
    ["a zone that Svalbard has not", "32X NG 14429 83357"],
    ["the poles", "ZAH 12345 67890"],
    ["a call sign", "4A12"],
    ["a word", "Main St"],
  ])("leaves out %s", (_what, text) => {
    expect(parseGridReference(text)).toBeNull();
  });
});
