"""Whatever moves, pans, comes, goes and lags: in the end every browser draws what is in its view. Over real sockets, in one process."""

import asyncio
import socket
from dataclasses import dataclass

import numpy as np
import pytest

from apps.accounts.instance import InstanceState
from apps.geo.clock import Clock
from apps.live import fanout
from apps.live.audience import Audience
from apps.live.client import Client, Member
from apps.live.reader import State
from apps.live.replica import Replica
from apps.live.tiles import watched_keys
from apps.live.wire import Wire
from apps.tracks.records import POSITION
from apps.units.layers import UNITS
from tests.apps.live.browser import Browser

STATE = State(InstanceState("demo", Clock.real(), 1), 1, {})
NOBODY = Member(1, "", "", "", "")
AGENCIES = (1, 2)
WHO = {"unit": None, "name": "", "kind": "car", "origin": "live", "source": "s", "interval_s": 1}
NARROW, WIDE = 0.05, 2.0


@dataclass
class Seat:
    """One client of the hub, and the browser at the other end of its socket."""

    client: Client
    browser: Browser
    far_end: socket.socket
    unread: bytes = b""

    async def read(self) -> None:
        """Take all that has arrived."""
        while True:
            try:
                self.unread += self.far_end.recv(1 << 20)
            except BlockingIOError:
                break
        while message := self.cut():
            self.browser.take(message)

    def cut(self) -> str | bytes | None:
        """Take one whole WebSocket message off what was read."""
        if len(self.unread) < 2:
            return None
        short = self.unread[1]
        start, size = {126: (4, int.from_bytes(self.unread[2:4])), 127: (10, int.from_bytes(self.unread[2:10]))}.get(short, (2, short))
        if len(self.unread) < start + size:
            return None
        kind, payload, self.unread = self.unread[0], self.unread[start : start + size], self.unread[start + size :]
        return payload.decode() if kind == 0x81 else payload


class House:
    """An audience, and units that move at random."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.audience = Audience({"units": UNITS}, Replica({"units"}, {"units"}))
        self.positions = self.audience.replica.positions
        self.seats: list[Seat] = []
        self.living: dict[int, list[int]] = {agency: [] for agency in AGENCIES}
        self.next_track = 1

    def come(self, agency: int, count: int) -> None:
        tracks = list(range(self.next_track, self.next_track + count))
        self.next_track += count
        self.living[agency] += tracks
        rows = [{**WHO, "id": track} for track in tracks]
        self.positions.introduce(agency, rows)
        self.move(agency, tracks)

    def move(self, agency: int, tracks: list[int]) -> None:
        records = np.zeros(len(tracks), dtype=POSITION)
        records["track"] = tracks
        records["lon"] = self.rng.integers(-95_6000000, -95_4000000, len(tracks))
        records["lat"] = self.rng.integers(29_6000000, 29_8000000, len(tracks))
        self.positions.apply(agency, records)

    def go(self, agency: int, count: int) -> None:
        gone, self.living[agency] = self.living[agency][:count], self.living[agency][count:]
        self.positions.remove(gone)

    async def seat(self, agencies: tuple[int, ...], size: float) -> None:
        near, far = socket.socketpair()
        far.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=near)
        rights = frozenset(("units", agency, "view") for agency in agencies)
        client = Client(Wire(transport), NOBODY, (), rights, 1, hang_up=lambda code: asyncio.sleep(0))
        self.audience.join(client, STATE)
        self.seats.append(Seat(client, Browser(None, session_key=""), far))  # type: ignore[arg-type]
        await self.look(self.seats[-1], size)

    async def look(self, seat: Seat, size: float) -> None:
        await seat.read()
        west, south = self.rng.uniform((-95.62, 29.58), (-95.45, 29.75)).tolist()
        view = (west, south, west + size, south + size)
        seat.browser.watch(view)
        self.audience.look(seat.client, view, 0)

    async def acknowledge(self, seat: Seat) -> None:
        await asyncio.sleep(0)
        await seat.read()
        self.audience.acknowledge(seat.client, seat.browser.seq, 0)

    async def tick(self) -> None:
        self.audience.fanout.wide_due = 0
        await self.audience.fanout.serve(0, self.audience.clients)

    async def calm_down(self) -> None:
        for _ in range(60):
            await self.tick()
            for seat in self.seats:
                await self.acknowledge(seat)

    def should_see(self, seat: Seat) -> dict[int, tuple[int, int]]:
        agencies = [agency for _, agency, _ in seat.client.rights]
        keys = watched_keys(seat.client.view or (), agencies)
        slots = [slot for key in keys for slot in self.positions.slots_in(key).tolist()]
        tracks = {slot: track for track, slot in self.positions.slot_of.items()}
        return {tracks[slot]: (int(self.positions.wire["lon"][slot]), int(self.positions.wire["lat"][slot])) for slot in slots}

    def leave(self) -> None:
        for seat in self.seats:
            seat.client.wire.abort()
            seat.far_end.close()


async def disturb(house: House) -> None:
    """Pan and acknowledge while a tick is under way."""
    for _ in range(4):
        await asyncio.sleep(0)
        seat = house.seats[house.rng.integers(len(house.seats))]
        if house.rng.random() < 0.5:
            await house.look(seat, WIDE if house.rng.random() < 0.3 else NARROW)
        else:
            await house.acknowledge(seat)


@pytest.mark.parametrize("seed", range(6))
async def test_every_browser_ends_with_what_is_in_its_view(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "YIELD_EVERY", 2)
    house = House(seed)
    for agency in AGENCIES:
        house.come(agency, 150)
    for number in range(12):
        await house.seat((AGENCIES, AGENCIES[:1], AGENCIES[1:])[number % 3], WIDE if number % 4 == 0 else NARROW)
    for step in range(40):
        for agency in AGENCIES:
            house.move(agency, house.rng.choice(house.living[agency], 30).tolist())
            if step % 7 == agency:
                house.come(agency, 3)
                house.go(agency, 2)
        await asyncio.gather(house.tick(), disturb(house))
    await house.calm_down()
    for seat in house.seats:
        assert seat.browser.drawn() == house.should_see(seat)
        assert seat.browser.faults == []
    house.leave()


async def test_a_wide_view_of_a_large_fleet_comes_in_pieces_while_it_moves() -> None:
    house = House(1)
    house.come(1, 9000)
    await house.seat((1,), WIDE)
    (seat,) = house.seats
    most = 0
    for _ in range(30):
        house.move(1, house.rng.choice(house.living[1], 2500, replace=False).tolist())
        await house.tick()
        most = max(most, seat.client.held_bytes)
        await house.acknowledge(seat)
    house.go(1, 500)
    await house.calm_down()
    assert len(seat.browser.drawn()) == 8500
    assert seat.browser.drawn() == house.should_see(seat)
    assert (seat.browser.faults, seat.browser.resets) == ([], 0)
    assert most < 262_144
    house.leave()


async def test_a_browser_that_reads_nothing_costs_little() -> None:
    house = House(2)
    house.come(1, 9000)
    await house.seat((1,), WIDE)
    (seat,) = house.seats
    for _ in range(200):
        house.move(1, house.rng.choice(house.living[1], 2500, replace=False).tolist())
        await house.tick()
    assert 65_536 < seat.client.held_bytes < 262_144
    house.leave()


async def test_a_name_that_changed_is_told_before_the_next_record() -> None:
    house = House(3)
    house.come(1, 20)
    await house.seat((1,), WIDE)
    (seat,) = house.seats
    await house.calm_down()
    house.positions.introduce(1, [{**WHO, "id": 7, "unit": "4A12"}])
    await house.calm_down()
    assert {unit["unit"] for unit in seat.browser.introduced.values() if unit["id"] == 7} == {"4A12"}
    house.leave()
