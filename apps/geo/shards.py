"""Virtual shards: one owner processes all that concerns one track or one call, in order."""

from zlib import crc32

SHARDS = 64


def shard_of(key: str) -> int:
    """Return the shard of a key such as "12:veh-7". Stable over processes and releases."""
    return crc32(key.encode()) % SHARDS
