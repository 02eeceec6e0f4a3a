"""The way that every post takes, from a sender or a poller: parse, judge, cut, commit, count."""

from datetime import datetime

from apps.geo.clock import microseconds
from apps.ingest.adapters.contract import Adapter, Unreadable
from apps.ingest.batcher import Batcher
from apps.ingest.housekeeping import Housekeeping
from apps.ingest.known import Sender
from apps.ingest.parcels import PreparedPost, new_receipt, prepare, unreadable
from apps.ingest.screening import Screen


class KeptUnread(Exception):
    """Nothing of the post could be read; it is kept as a reject under this receipt."""

    def __init__(self, problem: Unreadable, receipt: bytes) -> None:
        super().__init__(problem.detail)
        self.reason = problem.reason
        self.detail = problem.detail
        self.receipt = receipt


class Intake:
    def __init__(self, batcher: Batcher, house: Housekeeping) -> None:
        self.batcher = batcher
        self.house = house

    async def take(self, sender: Sender, adapter: Adapter, raw: bytes, *, content_type: str, at: datetime) -> PreparedPost:
        """Return the post once it is durable. Raises KeptUnread, batcher.Unavailable, batcher.Overloaded."""
        received_us = microseconds(at)
        post = PreparedPost(new_receipt(), sender.id, received_us, content_type, raw)
        known = self.house.known
        screen = Screen(received_us, known.oldest_us(sender, at=at), sender.bounds, known.clock_errors(sender))
        try:
            prepare(post, adapter, sender.settings, received_at=at, screen=screen, shards=sender.shards)
        except Unreadable as problem:
            await self.commit(unreadable(post, problem.reason, problem.detail), sender, at)
            raise KeptUnread(problem, post.id) from problem
        await self.commit(post, sender, at)
        return post

    async def commit(self, post: PreparedPost, sender: Sender, at: datetime) -> None:
        sender.quota.take(max(1, post.accepted))
        await self.batcher.commit(post)
        self.house.healths.stored(post, at=at)
