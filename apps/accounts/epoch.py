"""Tell every process that grants, members or keys changed. The number itself grows by trigger, in the same commit; where rights end by
time alone, by `end_grace`."""

import logging
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.accounts.viewer import grant_epoch

EPOCH = "rtcc:epoch"
TIMEOUT_S = 0.1
REST_S = 0.5
END_GRACE = """
    WITH over AS (UPDATE accounts_member SET second_factor_due = NULL WHERE second_factor_due <= now() RETURNING id)
    UPDATE accounts_grantepoch SET epoch = epoch + 1 WHERE id = 1 AND EXISTS (SELECT FROM over)
"""
log = logging.getLogger(__name__)


@dataclass
class Road:
    """The road to Redis for hints. After a failure nothing is tried for a moment, so that a dead or frozen Redis
    costs a sender at most `TIMEOUT_S` in each `REST_S`."""

    away_until: float = 0.0

    @cached_property
    def redis(self) -> redis.Redis:
        # redis-py waits and tries again by itself unless told not to.
        once = Retry(NoBackoff(), 0)
        return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=once)

    def send(self, channel: str, payload: bytes) -> bool:
        if time.monotonic() < self.away_until:
            return False
        try:
            self.redis.publish(channel, payload)
        except redis.RedisError as error:
            log.warning("no hints for %.1f s: %s", REST_S, error)
            self.away_until = time.monotonic() + REST_S
            return False
        return True


road = Road()


def send(channel: str, payload: bytes) -> bool:
    """Publish on Redis; a dead Redis costs the hint, never the commit. Return whether it went out."""
    return road.send(channel, payload)


def tell() -> None:
    """Once the transaction has committed, send the new epoch as decimal digits."""
    transaction.on_commit(lambda: send(EPOCH, str(grant_epoch()).encode()))


def end_grace(cursor: psycopg.Cursor[Any]) -> None:
    """Where the days without a second factor are over, count the epoch up, once: open maps hear of it as of any right that is taken.
    One statement, which writes nothing where nobody's days ended."""
    cursor.execute(END_GRACE)
