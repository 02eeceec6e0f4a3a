"""What waits for a browser that reads slowly: in turns, never longer than the layer itself, and never as if it were live."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from apps.live.audience import MOST_CHANGES_BYTES, Audience
from apps.live.client import LONGEST_WAIT_S, PARTS_STOP_AT_BYTES, Client
from apps.live.replica import Replica, Told
from apps.live.wire import Wire
from apps.units.layers import UNITS
from tests.apps.live.test_fanout import NOBODY, STATE

CALLS, FENCES = ("calls", 1), ("fences", 1)
RIGHTS = frozenset((layer, 1, "view") for layer in ("calls", "fences"))
PART = b'"type":"changes","part":"%b"}' % (b"x" * (PARTS_STOP_AT_BYTES // 2))


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    near, far = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=near)
    yield Client(Wire(transport), NOBODY, (), RIGHTS, 1, hang_up=lambda code: asyncio.sleep(0))
    transport.abort()
    far.close()


async def test_layers_take_turns(client: Client) -> None:
    client.queue(CALLS, [PART] * 4)
    client.queue(FENCES, [b'"type":"changes"}'])
    assert [len(parts) for parts in client.pending.values()] == [2, 1]
    client.acknowledge(client.seq)
    assert {key: len(parts) for key, parts in client.pending.items()} == {}


async def test_a_change_that_waits_too_long_makes_what_is_drawn_old(client: Client) -> None:
    client.queue(CALLS, [PART] * 3)
    assert not client.draws_old(LONGEST_WAIT_S + 1)
    client.queue(CALLS, [PART], since=0.0)
    assert not client.draws_old(LONGEST_WAIT_S)
    assert client.draws_old(LONGEST_WAIT_S + 1)
    client.replace_pending(CALLS, [PART])
    assert client.draws_old(LONGEST_WAIT_S + 1)
    client.acknowledge(client.seq)
    assert not client.draws_old(LONGEST_WAIT_S + 1)


async def test_no_more_waits_than_the_layer_has(client: Client) -> None:
    replica = Replica({"units"}, {"calls", "units"})
    audience = Audience({"calls": UNITS}, replica)
    audience.join(client, STATE)
    for rev in range(1, 60):
        changes = [(1, b'{"id":1,"rev":%d,"text":"%b"}' % (rev, b"x" * 10_000))]
        audience.tell(Told(CALLS, replica.feature_set(CALLS).apply(changes, rev)))
        assert client.waits_for(CALLS) <= MOST_CHANGES_BYTES + 10_200
    assert b'"rev":59' in client.pending[CALLS][-1].tail
    assert not client.is_behind
