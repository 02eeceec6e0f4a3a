"""A connection that shows a sensitive layer leaves an audit row first. While that cannot be written the layer is left out of it, and
the rest of the map goes on."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, connection, transaction

from apps.audit.acting import Acting, acting_as
from apps.layers.definition import Layer
from apps.layers.sensitive import PATIENCE, is_sensitive, record_reading
from apps.live.client import Client, Member, Rights
from apps.live.reader import Key

log = logging.getLogger(__name__)


class Watched:
    """Writes in a thread of its own: an audit that hangs holds up neither the hub's reads nor its event loop."""

    def __init__(self, layers: dict[str, Layer]) -> None:
        self.layers = {name: layer for name, layer in layers.items() if is_sensitive(layer, past=False)}
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="hub-audit")

    def keys(self, rights: Rights) -> set[Key]:
        """Return the sensitive layers of agencies that these rights show."""
        return {(layer, agency) for layer, agency, action in rights if action == "view" and layer in self.layers}

    def permitted(self, client: Client, rights: Rights) -> Rights:
        """Return the rights without the sensitive layers of which no row was written."""
        left_out = self.keys(rights) - client.watched
        return frozenset(right for right in rights if right[:2] not in left_out) if left_out else rights

    async def begin(self, wanted: Iterable[tuple[Client, Rights]]) -> None:
        """Write what the clients are about to watch and do not yet; mark what was written."""
        new = [(client, self.keys(rights) - client.watched) for client, rights in wanted]
        new = [(client, keys) for client, keys in new if keys]
        if new and await self._written([(client.member, keys) for client, keys in new]):
            for client, keys in new:
                client.watched |= keys

    async def _written(self, wanted: list[tuple[Member, set[Key]]]) -> bool:
        return await asyncio.get_running_loop().run_in_executor(self.thread, lambda: self._write(wanted))

    def _write(self, wanted: list[tuple[Member, set[Key]]]) -> bool:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(PATIENCE)
                for member, keys in wanted:
                    with acting_as(whoever(member)):
                        self._record(keys)
        except DatabaseError:
            log.exception("sensitive layers are left out of connections: the audit cannot be written")
            return False
        finally:
            connection.close()
        return True

    def _record(self, keys: set[Key]) -> None:
        for name in sorted({layer for layer, _ in keys}):
            agencies = sorted(agency for layer, agency in keys if layer == name)
            record_reading("layer_watched", self.layers[name], agencies, count=None, why="", detail={})

    def close(self) -> None:
        self.thread.shutdown(wait=False)


def whoever(member: Member) -> Callable[[], Acting]:
    return lambda: Acting(member.id, member.username, member.address or None, "socket")
