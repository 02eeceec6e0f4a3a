"""What things say about the boundaries they fall in: kind, code and name."""

from collections.abc import Iterable, Mapping, Sequence

from apps.layers.definition import Cursor

Tag = Mapping[str, str]
READ = "SELECT id, kind, code, name FROM boundaries_boundary WHERE id = ANY(%s)"


class Tags:
    """Boundaries' tags by id, read once each. A version of a boundary keeps its kind and code for good; a process that lives
    long makes a new one when the layer's revision moves, since a name may be corrected."""

    def __init__(self) -> None:
        self._known: dict[int, Tag] = {}

    def read(self, cursor: Cursor, groups: Iterable[Sequence[int] | None]) -> None:
        """Learn the ids of these rows that are not known yet, in one statement (none when all are known)."""
        missing = {id for group in groups for id in group or ()} - self._known.keys()
        if not missing:
            return
        cursor.execute(READ, [list(missing)])
        self._known.update({id: {"kind": kind, "code": code, "name": name} for id, kind, code, name in cursor.fetchall()})

    def of(self, ids: Sequence[int] | None) -> list[Tag]:
        """Return the tags of these ids, each read before; a boundary that was deleted since has none."""
        return [self._known[id] for id in ids or () if id in self._known]
