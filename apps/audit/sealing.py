"""Chain what has committed. One sealer works at a time; what commits late with a low id is sealed when it is there."""

from apps.audit.chain import COLUMNS, Connection, Link, copied, digest_of, last_link

MOST = 5000
WAITING = f"""
    SELECT {COLUMNS} FROM audit_unsealed waiting JOIN audit_entry entry ON entry.id = waiting.entry_id ORDER BY entry.id LIMIT {MOST}
"""
SEAL = "INSERT INTO audit_seal (sequence, entry_id, digest) SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[])"
NO_LONGER = "DELETE FROM audit_unsealed WHERE entry_id = ANY(%s)"


def seal(connection: Connection, known: Link) -> tuple[Link, int]:
    """Seal what waits, MOST entries at most, in one transaction; return the chain's newest link and how many were sealed.

    `known` is the newest link that the caller knows of. A database that has less has lost its end: the chain goes on after `known`, so
    that the gap stays to be seen. Two sealers at once: the second fails at the primary key.
    """
    with connection.transaction(), connection.cursor() as cursor:
        link = max(known, last_link(cursor), key=lambda one: one.sequence)
        entries: list[int] = []
        links: list[Link] = []
        for line in copied(cursor, WAITING):
            link = Link(link.sequence + 1, digest_of(link.digest, line))
            links.append(link)
            entries.append(int(line.partition(b"\t")[0]))
        if entries:
            cursor.execute(SEAL, [[one.sequence for one in links], entries, [one.digest for one in links]])
            cursor.execute(NO_LONGER, [entries])
    return link, len(entries)
