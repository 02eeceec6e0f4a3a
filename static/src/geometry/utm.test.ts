import { describe, expect, it } from "vitest";
import { distanceM } from "./circle";
import { fromUtm } from "./utm";

/** Eastings and northings computed by PROJ (PostGIS, ST_Transform from EPSG:4326 to the zone's code). */
const PROJ = [
  ["Houston", 15, false, 270857.836, 3294589.259, -95.3698, 29.7604],
  ["Sydney", 56, true, 334900.57, 6252288.753, 151.2153, -33.8568],
  ["Bergen", 32, false, 297353.933, 6700648.345, 5.3221, 60.3913],
  ["Quito", 17, true, 781861.457, 9980007.567, -78.4678, -0.1807],
  ["the western edge of a zone", 15, false, 280586.299, 5431792.865, -96, 49],
  ["the eastern edge of a zone", 15, false, 719413.701, 5431792.865, -90, 49],
  ["Svalbard", 33, false, 514429.084, 8683357.088, 15.6333, 78.2232],
  ["Ushuaia", 19, true, 544805.097, 3927029.885, -68.303, -54.8019],
] as const;

describe("meters of a zone", () => {
  it.each(PROJ)("give %s where PROJ has it, within a centimeter", (_name, zone, isSouth, easting, northing, lon, lat) => {
    expect(distanceM(fromUtm(zone, isSouth, easting, northing), [lon, lat])).toBeLessThan(0.01);
  });
});
