"""The hub of a web process: keeps a replica of the live layers up to date and tells its clients."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from time import monotonic
from typing import Any, TypeVar

from apps.accounts.instance import NoInstance
from apps.geo.clock import microseconds
from apps.ingest.lasting import Ended, endless, keep
from apps.layers.hints import Hint
from apps.live.audience import NOT_SIGNED_IN, PULSES, Audience
from apps.live.client import Client, Member
from apps.live.heads import LATE_S, STUCK_S
from apps.live.listener import Listener
from apps.live.messages import read_agencies, read_feeds
from apps.live.reader import Away, Key, Reader, Rights, State
from apps.live.replica import Replica, Told
from apps.live.wire import Wire
from apps.processes.counting import counts

log = logging.getLogger(__name__)
T = TypeVar("T")
TICK_S = 0.1
POLL_S = 1.0
SILENT_AFTER_S = 5.0  # without PostgreSQL the data may be old: heartbeats end, and pages say NOT LIVE
RELOAD_AFTER_S = 6 * 3600.0  # tombstones are kept for a day
STALLED_S = 1.0
LONGEST_DELAY_S = 4.0
AGENCIES_EVERY = 3  # polls
REJECTS_SHOWN = timedelta(hours=1)
AGAIN_AFTER_S = 1.0
FIRST_LOAD_S = 3.0
TRY_AGAIN = 1013


class NotAllowed(Exception):
    """The member may not sign in any more."""


class Hub:
    def __init__(self) -> None:
        self.reader = Reader()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="hub-reader")
        self.audience = Audience(self.reader.layers, self._empty())
        self.state: State | None = None
        self.loaded = asyncio.Event()
        self.poll_now = asyncio.Event()
        self.polled_at = 0.0
        self.polls = 0
        self.feeds: list[dict[str, Any]] = []
        self.must_check_rights = False
        self.doubts = 0
        self.held: list[Told] = []
        self.unheard: dict[tuple[Client, str], Callable[[], None]] = {}
        self.nameless: dict[int, int] = {}
        self.listener = Listener(on_hint=self._hinted, on_epoch=self._epoch_is, on_subscribed=self.poll_now.set)
        self.running: asyncio.Task[None] | None = None
        self.jobs: dict[str, asyncio.Task[None]] = {}
        self.faults: asyncio.Queue[BaseException] = asyncio.Queue()

    @property
    def replica(self) -> Replica:
        return self.audience.replica

    @property
    def epoch(self) -> int:
        return self.state.epoch if self.state else 0

    def start(self) -> None:
        if self.running is None:
            self.running = keep(asyncio.create_task(self._run(), name="the hub"))

    async def stop(self) -> None:
        tasks = [task for task in (self.running, *self.jobs.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.thread.submit(self.reader.close)
        self.thread.shutdown(wait=False)
        self.audience.watched.close()

    async def _run(self) -> None:
        """Run until cancelled. A fault ends every connection, so that no page shows what is no longer kept up."""
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    for loop in (self._poll_forever, self._tick_forever, self._beat_forever, self.listener.run, self._fail_with_jobs):
                        group.create_task(endless(loop), name=f"hub {loop.__name__}")
            except* Exception:
                log.exception("the hub failed and starts again")
                self._drop_all()
                await asyncio.sleep(AGAIN_AFTER_S)

    async def _fail_with_jobs(self) -> None:
        """A job that fails unforeseen may have left a layer half applied: the whole run ends with it."""
        raise await self.faults.get()

    def _drop_all(self) -> None:
        """Forget what is known and end every connection."""
        self.state, self.must_check_rights, self.faults = None, False, asyncio.Queue()
        self.loaded.clear()
        for job in self.jobs.values():
            job.cancel()
        for forgotten in (self.held, self.unheard, self.nameless):
            forgotten.clear()
        for client in list(self.audience.clients):
            self.audience.close(client, TRY_AGAIN)

    def now_ms(self) -> float:
        """Return the instance's time in milliseconds since 1970."""
        return microseconds(self._known().instance.clock.now()) / 1000

    async def join(self, wire: Wire, member: Member, hang_up: Callable[[int], Awaitable[None]]) -> Client:
        """Admit a client under the rights it has now. Raises NotAllowed and Away."""
        epoch = -1
        while epoch < self.epoch:  # grants may change while they are read, and while it is written who watches
            epoch, found = await self._read(lambda: self.reader.rights([member.id]))
            if member.id not in found:
                raise NotAllowed
            client = Client(wire, member, found[member.id].roles, found[member.id].rights, epoch, hang_up)
            await self.audience.watched.begin([(client, client.rights)])
        if self.state is None:
            raise Away("the hub starts again")
        client.rights = self.audience.watched.permitted(client, client.rights)
        self.audience.join(client, self._known())
        self._epoch_is(epoch)
        return client

    def leave(self, client: Client) -> None:
        self.audience.leave(client)

    def look(self, client: Client, view: tuple[float, ...]) -> None:
        self._hear(client, "view", lambda: self.audience.look(client, view, self.now_ms()))

    def acknowledge(self, client: Client, seq: int) -> None:
        self._hear(client, "ack", lambda: self.audience.acknowledge(client, seq, self.now_ms()))

    def _hear(self, client: Client, words: str, answer: Callable[[], None]) -> None:
        """Answer at once, or the last of its kind when it is sure who may see what; one whose connection is ending gets no answer."""
        if client not in self.audience.clients:
            return
        if self.must_check_rights:
            self.unheard[client, words] = answer
        else:
            answer()

    async def _tick_forever(self) -> None:
        await self.loaded.wait()
        due = monotonic()
        while True:
            late = monotonic() - due
            if late < STALLED_S and not self.must_check_rights:  # after a stall, acknowledgments are read first
                await self.audience.fanout.serve(self.now_ms(), self.audience.clients)
            self._mend()
            due = max(due + TICK_S, monotonic() - TICK_S)
            await asyncio.sleep(max(0.0, due - monotonic()))

    async def _beat_forever(self) -> None:
        await self.loaded.wait()
        for turn in cycle(range(PULSES)):
            await asyncio.sleep(1 / PULSES)
            at = monotonic()
            is_recent = at - self.polled_at < SILENT_AFTER_S and not self.replica.owes_since(at, LATE_S)
            if is_recent and not self.must_check_rights:
                self.audience.beat(turn, self.feeds, self.now_ms(), self._known().instance.clock.speed)

    async def _poll_forever(self) -> None:
        delay = POLL_S
        while True:
            try:
                await self._poll()
                delay = POLL_S
            except (Away, NoInstance) as error:
                log.warning("the hub cannot read PostgreSQL: %s", error)
                delay = min(LONGEST_DELAY_S, delay * 1.5)
            self.poll_now.clear()
            try:
                await asyncio.wait_for(self.poll_now.wait(), delay)
            except TimeoutError:
                continue

    async def _poll(self) -> None:
        """Look at the heads, the grants' epoch and the instance; then at what changes more slowly. What was applied before a look
        is in it: what it shows less of is gone."""
        if self.state is None or monotonic() - self.polled_at > RELOAD_AFTER_S:
            await self._load()
        await self._read(self.reader.end_grace)
        applied = self.replica.applied()
        state = await self._read(self.reader.state)
        self.polled_at = monotonic()
        if state.instance.generation != self._known().instance.generation:
            await self._load()
        elif state.is_before(applied) or self.replica.owes_since(self.polled_at, STUCK_S):
            log.error("the replica is not what the database has, it is read anew")
            await self._load()
        self._epoch_is(state.epoch)
        self.state = state
        self.replica.saw(state.heads, monotonic())
        self.replica.positions.unnamed.update(self.nameless)
        self.nameless = {}
        self._mend()
        rejects_after = state.instance.clock.at(datetime.now(UTC)) - REJECTS_SHOWN
        self.feeds = await self._read(lambda: read_feeds(self.reader, rejects_after))
        await self._check_sessions()
        self.polls += 1
        counts.turn()
        if self.polls % AGENCIES_EVERY == 0:
            self.audience.agencies = await self._read(lambda: read_agencies(self.reader))

    async def _load(self) -> None:
        state, replica, self.audience.agencies = await self._read(self._read_all)
        self.polled_at = monotonic()
        self._epoch_is(state.epoch)
        self.state = state
        self.held.clear()
        self.audience.replace(replica, self.now_ms())
        self.loaded.set()

    def _read_all(self) -> tuple[State, Replica, list[dict[str, Any]]]:
        state, catches = self.reader.load()
        replica = self._empty()
        replica.load(catches)
        return state, replica, read_agencies(self.reader)

    def _empty(self) -> Replica:
        moving = {layer.name for layer in self.reader.layers.values() if layer.kind == "positions"}
        return Replica(moving, set(self.reader.layers))

    def _hinted(self, hint: Hint) -> None:
        if self.state is None:
            return
        for told in self.replica.hinted(hint.layers, monotonic()):
            self._tell(told)
        self._mend()

    def _epoch_is(self, epoch: int) -> None:
        if self.state is not None and epoch != self.epoch:
            self.must_check_rights = True
            self.doubts += 1
            self._mend()

    def _tell(self, told: Told) -> None:
        """Tell at once, or when it is sure who may see it."""
        if self.must_check_rights:
            self.held.append(told)
        else:
            self.audience.tell(told)

    def _mend(self) -> None:
        """Start what is due: rights, revisions that are missing, names of new devices. One of each at a time."""
        if self.state is None:
            return
        if self.must_check_rights:
            self._once("rights", self._check_rights)
        if self.replica.positions.unnamed:
            self._once("names", self._read_names)
        if "gaps" not in self.jobs and (wanted := self.replica.wanting(monotonic(), is_told=self.listener.is_told)):
            self._once("gaps", lambda: self._fill(wanted))

    def _once(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if name not in self.jobs:
            task = self.jobs[name] = asyncio.create_task(run(), name=f"hub job {name}")
            task.add_done_callback(lambda done: self._ended(name, done))

    def _ended(self, name: str, job: "asyncio.Task[None]") -> None:
        del self.jobs[name]
        if job.cancelling():
            return
        error = Ended(f"the hub's job {name} was cancelled by nobody") if job.cancelled() else job.exception()
        if error:
            self.faults.put_nowait(error)

    async def _fill(self, wanted: dict[Key, int]) -> None:
        replica = self.replica
        try:
            catches = await self._read(lambda: self.reader.catch_up(wanted))
        except BaseException as error:
            replica.not_read(wanted)  # whatever went wrong: a layer that stays "being read" would never be read again
            if not isinstance(error, Away):
                raise
            log.warning("the hub could not read what it missed: %s", error)
            return
        for told in replica.caught_up(catches, monotonic()):
            if replica is self.replica:
                self._tell(told)

    async def _read_names(self) -> None:
        positions = self.replica.positions
        asked = dict(positions.unnamed)
        by_agency: dict[int, list[int]] = {}
        for track, agency in asked.items():
            by_agency.setdefault(agency, []).append(track)
            del positions.unnamed[track]
        try:
            found = await self._read(lambda: self.reader.introduce(by_agency))
        except Away:
            self.nameless |= asked
            return
        for agency, rows in found.items():
            positions.introduce(agency, rows)
        named = {row["id"] for rows in found.values() for row in rows}
        self.nameless |= {track: agency for track, agency in asked.items() if track not in named}

    async def _check_rights(self) -> None:
        """Read the rights of all who are connected. Nothing is sent while they are in doubt."""
        members = sorted({client.member.id for client in self.audience.clients})
        doubts = self.doubts
        try:
            epoch, found = await self._read(lambda: self.reader.rights(members))
            self.audience.agencies = await self._read(lambda: read_agencies(self.reader))
        except Away as error:
            log.warning("the hub could not read rights, frames wait: %s", error)
            await asyncio.sleep(POLL_S)
            return
        wanted = [(client, found[client.member.id].rights) for client in self.audience.clients if client.member.id in found]
        await self.audience.watched.begin(wanted)
        self._use_rights(epoch, found, set(members), doubts)

    def _use_rights(self, epoch: int, found: dict[int, Rights], asked: set[int], doubts: int) -> None:
        self.state = replace(self._known(), epoch=epoch)
        self.audience.grant(found, asked, self.state, self.now_ms())
        self.must_check_rights = self.doubts != doubts or any(client.epoch < epoch for client in self.audience.clients)
        if not self.must_check_rights:
            held, self.held = self.held, []
            for told in held:
                self.audience.tell(told)
            unheard, self.unheard = self.unheard, {}
            for (client, _), answer in unheard.items():
                if client in self.audience.clients:
                    answer()

    async def _check_sessions(self) -> None:
        clients = list(self.audience.clients)
        keys = sorted({client.member.session_key for client in clients})
        alive = await self._read(lambda: self.reader.sessions(keys))
        for client in clients:
            if client.member.session_key not in alive and client in self.audience.clients:
                self.audience.close(client, NOT_SIGNED_IN)

    async def _read(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, job)

    def _known(self) -> State:
        if self.state is None:
            raise NoInstance("the hub has not read the database yet")
        return self.state


_hub: Hub | None = None


async def hub() -> Hub:
    """Return this process's hub, started."""
    global _hub
    if _hub is None:
        _hub = Hub()
    _hub.start()
    return _hub


async def start() -> None:
    """For the ASGI lifespan: load before the first client comes, unless the database is away."""
    begun = await hub()
    count(begun)
    with suppress(TimeoutError):
        await asyncio.wait_for(begun.loaded.wait(), FIRST_LOAD_S)


def count(hub: Hub) -> None:
    """Have the hub's readings told with the process's own. They are read by another thread, hence the copies."""
    audience = hub.audience
    counts.read("live_clients", lambda: len(audience.clients))
    counts.read("live_clients_behind", lambda: sum(client.is_behind for client in list(audience.clients)))
    counts.read("live_messages", lambda: audience.left.and_of(list(audience.clients)).messages)
    counts.read("live_bytes", lambda: audience.left.and_of(list(audience.clients)).size)
    counts.read("live_heads_age_seconds", lambda: monotonic() - hub.polled_at if hub.polled_at else 0.0)


async def stop() -> None:
    global _hub
    if _hub is not None:
        await _hub.stop()
        _hub = None
