"""Hints from Redis. Nothing depends on them: the hub looks at the database's heads each second."""

import asyncio
import logging
from collections.abc import Callable

import msgspec
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from apps.layers.hints import EPOCH, HINTS, Hint, read

log = logging.getLogger(__name__)
FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 2.0


class Listener:
    """Subscribes, and subscribes again after every loss. `is_told` says whether hints arrive at present."""

    def __init__(self, *, on_hint: Callable[[Hint], None], on_epoch: Callable[[int], None], on_subscribed: Callable[[], None]) -> None:
        self.on_hint = on_hint
        self.on_epoch = on_epoch
        self.on_subscribed = on_subscribed
        self.is_told = False

    async def run(self) -> None:
        delay = FIRST_DELAY_S
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                if self.is_told:
                    delay = FIRST_DELAY_S
                    log.warning("no hints from Redis, reading heads instead: %s", error)
            finally:
                self.is_told = False
            await asyncio.sleep(delay)
            delay = min(LONGEST_DELAY_S, delay * 2)

    async def _listen(self) -> None:
        """By protocol 2: with 3, redis-py makes a text of each message for its debug log, whether that is written or not."""
        async with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, protocol=2) as redis, redis.pubsub() as subscription:
            await subscription.subscribe(HINTS, EPOCH)
            async for message in subscription.listen():
                if message["type"] == "message":
                    self._take(message["channel"], message["data"])
                elif not self.is_told:
                    self.is_told = True
                    self.on_subscribed()

    def _take(self, channel: bytes, payload: bytes) -> None:
        """Leave out what cannot be read. What goes wrong while a hint is applied is ours, and ends the hub's run."""
        is_epoch = channel == EPOCH.encode()
        try:
            said = int(payload) if is_epoch else read(payload)
        except (ValueError, msgspec.DecodeError) as error:
            log.warning("an unreadable hint on %r was left out: %s", channel, error)
            return
        if isinstance(said, int):
            self.on_epoch(said)
        else:
            self.on_hint(said)
