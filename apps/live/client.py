"""One connected browser: what it was told, what it acknowledged, and how much may still be sent to it."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apps.live.reader import Key
from apps.live.wire import Wire

if TYPE_CHECKING:
    from apps.live.fanout import Group

MOST_UNACKNOWLEDGED_BYTES = 262_144
MOST_UNACKNOWLEDGED_S = 2.0
FRAMES_STOP_AT_BYTES = 131_072  # positions wait for acknowledgments long before the limit; their latest state is sent then
PARTS_STOP_AT_BYTES = 65_536
LONGEST_WAIT_S = 5.0  # then heartbeats end, and the page says NOT LIVE
Rights = frozenset[tuple[str, int, str]]


@dataclass
class Sweep:
    """Units of an agency on their way to a client with a wide view, piece by piece, each as it is when it is sent.

    `todo` None: all. `whole`: the client first drops what it has.
    """

    todo: NDArray[np.int64] | None
    whole: bool


class Pending(NamedTuple):
    """A part of a feature layer that waits for room. `since`: when what is drawn became old for want of it; None when it
    is the first that the client gets of the layer."""

    tail: bytes
    since: float | None


@dataclass(frozen=True)
class Member:
    """Who is connected, and what must stay true of the sign-in."""

    id: int
    username: str
    name: str
    session_key: str
    password: str
    address: str = ""


@dataclass(eq=False, slots=True)
class Client:
    wire: Wire
    member: Member
    roles: tuple[str, ...]
    rights: Rights
    epoch: int
    hang_up: Callable[[int], Awaitable[None]]
    turn: int = 0
    seq: int = 0
    sent_bytes: int = 0
    acknowledged_bytes: int = 0
    unacknowledged: deque[tuple[int, int, float]] = field(default_factory=deque)
    pending: dict[Key, deque[Pending]] = field(default_factory=dict)
    is_behind: bool = False
    view: tuple[float, ...] | None = None
    group: "Group | None" = None
    missed: set[int] = field(default_factory=set)
    sweeps: dict[int, Sweep] = field(default_factory=dict)
    served: int = 0
    introduced: bytearray = field(default_factory=bytearray)
    watched: set[Key] = field(default_factory=set)

    def may_see(self, key: Key) -> bool:
        return (*key, "view") in self.rights

    @property
    def held_bytes(self) -> int:
        """Bytes that were sent and not acknowledged."""
        return self.sent_bytes - self.acknowledged_bytes

    def is_late(self, at: float) -> bool:
        return bool(self.unacknowledged) and at - self.unacknowledged[0][2] > MOST_UNACKNOWLEDGED_S

    def takes_frames(self) -> bool:
        return not self.is_behind and self.held_bytes < FRAMES_STOP_AT_BYTES

    def say(self, tail: bytes) -> None:
        """Send a JSON message, numbered; a client that is behind or would get too far behind gets nothing."""
        if self.is_behind:
            return
        text = b'{"seq":%d,%b' % (self.seq + 1, tail)
        if self.unacknowledged and self.held_bytes + len(text) > MOST_UNACKNOWLEDGED_BYTES:
            self.fall_behind()
            return
        self.wire.write_text(text)
        self.count(len(text), monotonic())

    def count(self, size: int, at: float) -> None:
        self.seq += 1
        self.sent_bytes += size
        self.unacknowledged.append((self.seq, self.sent_bytes, at))

    def queue(self, key: Key, tails: list[bytes], since: float | None = None) -> None:
        """Send parts of a feature layer in order, as fast as they are acknowledged; no layer waits for the whole of another."""
        if not self.is_behind and tails:
            self.pending.setdefault(key, deque()).extend(Pending(tail, since) for tail in tails)
            self.send_pending()

    def send_pending(self) -> None:
        while self.pending and not self.is_behind and self.held_bytes < PARTS_STOP_AT_BYTES:
            key = next(iter(self.pending))
            parts = self.pending.pop(key)
            self.say(parts.popleft().tail)
            if parts and not self.is_behind:
                self.pending[key] = parts

    def waits_for(self, key: Key) -> int:
        """Return the bytes of a layer that wait for room."""
        return sum(len(part.tail) for part in self.pending.get(key, ()))

    def replace_pending(self, key: Key, tails: list[bytes]) -> None:
        """Put the whole of a layer in the place of the changes that wait: what it holds is sent once, and nothing older."""
        since = min((part.since for part in self.pending[key] if part.since is not None), default=None)
        self.pending[key] = deque(Pending(tail, since) for tail in tails)

    def draws_old(self, at: float) -> bool:
        """Say whether a change has been waiting for so long that the client shows what is no more."""
        times = (part.since for parts in self.pending.values() for part in parts)
        return any(since is not None and at - since > LONGEST_WAIT_S for since in times)

    def acknowledge(self, seq: int) -> bool:
        """Take an acknowledgment. Return whether a client that was behind has now read all it was sent."""
        while self.unacknowledged and self.unacknowledged[0][0] <= seq:
            self.acknowledged_bytes = self.unacknowledged.popleft()[1]
        if self.is_behind:
            return not self.unacknowledged
        self.send_pending()
        return False

    def fall_behind(self) -> None:
        """Send nothing more until all is acknowledged; a reset and snapshots follow then."""
        self.is_behind = True
        self.pending.clear()

    def recover(self) -> None:
        self.is_behind = False
        self.pending.clear()
        self.missed.clear()
        self.sweeps.clear()

    def miss(self, key: int, slots: NDArray[np.int64] | None) -> None:
        """Note a tile of which this client did not get these slots' news; None means that it lacks all."""
        sweep = self.sweeps.get(key)
        if key > 0:
            self.missed.add(key)
        elif slots is None:
            self.sweeps[key] = Sweep(None, whole=True)
        elif sweep is None:
            self.sweeps[key] = Sweep(slots, whole=False)
        elif sweep.todo is not None:
            sweep.todo = np.union1d(sweep.todo, slots)

    def drop(self, key: Key) -> None:
        """Take a layer of an agency away, with what of it waits."""
        self.pending.pop(key, None)
        self.say(b'"type":"withdraw","layer":"%b","agency":%d}' % (key[0].encode(), key[1]))

    def unknown_of(self, slots: Iterable[int], capacity: int) -> list[int]:
        """Return those of the slots of which this client was not told who they are. One byte a slot: 1 means told."""
        if len(self.introduced) < capacity:
            self.introduced.extend(bytes(capacity - len(self.introduced)))
        introduced = self.introduced
        return [slot for slot in slots if not introduced[slot]]

    def forget_introduction(self, slots: Iterable[int]) -> None:
        for slot in slots:
            if slot < len(self.introduced):
                self.introduced[slot] = 0
