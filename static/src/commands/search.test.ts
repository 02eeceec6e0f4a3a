import { describe, expect, it } from "vitest";
import { call, frame, greeted, HELLO, introduceUnits, receive, unit } from "../state/state.fixture";
import { CommandRegistry } from "./registry";
import { search } from "./search";

const registry = new CommandRegistry();
registry.add({ id: "home", title: "Show the whole area", group: "go", keys: ["H"], run: () => undefined });

const state = greeted(
  receive(introduceUnits([unit(1, { unit: "4A12" }), unit(2, { unit: "14A1" })])),
  frame([{ records: [1, 2].map((handle) => ({ handle, lon: -95.36, lat: 29.76 })) }]),
  receive({ seq: 3, type: "snapshot", layer: "calls", agency: 1, rev: 1, features: [call(17, { type: "ALARM", address: "100 Main St" })] }),
  receive({ seq: 5, type: "snapshot", layer: "boundaries", agency: 1, rev: 1, features: [{ ...call(6), properties: { name: "Northeast", code: "4", kind: "district" } }] }),
  receive({ seq: 4, type: "snapshot", layer: "fences", agency: 1, rev: 1, features: [{ ...call(5), properties: { name: "Stadium" } }] }),
);
const titles = (typed: string) => search(state, registry.all, typed).map((hit) => hit.title);

describe("the command bar", () => {
  it("finds a unit by call sign, the exact beginning first", () => {
    expect(titles("4a")).toEqual(["4A12", "14A1"]);
  });

  it("finds calls by number, type or address", () => {
    expect([titles("h-17"), titles("alarm"), titles("main st")]).toEqual([["H-17"], ["H-17"], ["H-17"]]);
  });

  it("finds areas and commands", () => {
    expect([titles("stad"), titles("whole area")]).toEqual([["Stadium"], ["Show the whole area"]]);
  });

  it("lists what is equally close in the order people count", () => {
    const many = greeted(receive(introduceUnits([unit(1, { unit: "4A12" }), unit(2, { unit: "4A2" })])), frame([{ records: [1, 2].map((handle) => ({ handle, lon: -95.36, lat: 29.76 })) }]));
    expect(search(many, [], "4a").map((hit) => hit.title)).toEqual(["4A2", "4A12"]);
  });

  it("says of an area which it is, also when its code was typed", () => {
    expect(search(state, registry.all, "north").find((hit) => hit.title === "Northeast")?.detail).toBe("District 4");
    expect(search(state, registry.all, "4")[0]).toMatchObject({ title: "Northeast", detail: "District 4" });
  });

  it("goes to a coordinate and says first what it understood", () => {
    const [hit] = search(state, registry.all, "29.76, -95.37");
    expect(hit).toMatchObject({ kind: "coordinate", title: "29.76000, -95.37000", detail: "Decimal degrees, latitude first, about 1 km" });
    expect(hit).toMatchObject({ found: { place: [-95.37, 29.76], sizeM: 1000 } });
  });

  it("goes to a grid reference of any spacing", () => {
    expect(search(state, registry.all, "15rtn70859458")[0]).toMatchObject({ title: "15R TN 7085 9458", detail: "Grid reference (USNG, MGRS), about 10 m" });
  });

  it("offers both orders when both are places, the agency's country first", () => {
    const extent = [-78.6, -0.3, -78.4, -0.1] as const;
    const quito = greeted(receive({ ...HELLO, seq: 2, agencies: HELLO.agencies.map((agency) => ({ ...agency, extent })) }));
    expect(search(quito, [], "-78.5, -0.2").map((hit) => hit.title)).toEqual(["-0.20000, -78.50000", "-78.50000, -0.20000"]);
  });

  it("puts what is called exactly so before a coordinate", () => {
    const odd = greeted(receive({ seq: 3, type: "snapshot", layer: "fences", agency: 1, rev: 1, features: [{ ...call(5), properties: { name: "4S 12E" } }] }));
    expect(search(odd, [], "4S 12E").map((hit) => hit.kind)).toEqual(["selection", "coordinate"]);
  });

  it("offers nothing for nothing", () => {
    expect([titles(""), titles("  "), titles("zebra")]).toEqual([[], [], []]);
  });
});
