"""What an adapter yields about calls for service."""

import msgspec


class CallReport(msgspec.Struct, frozen=True, array_like=True, tag="c", tag_field="tag", gc=False):
    """What a source says of one call. Fields that the source does not carry are None and keep their last value."""

    number: str
    sequence: int
    observed_us: int
    state: str
    lon: float | None = None
    lat: float | None = None
    type: str | None = None
    priority: str | None = None
    opened_us: int | None = None
    address: str | None = None
    cross_streets: str | None = None
    units: tuple[str, ...] | None = None
    narrative: str | None = None
    uncertainty_m: float | None = None

    @property
    def identity(self) -> str:
        return self.number


class BoardPoll(msgspec.Struct, frozen=True, array_like=True, tag="b", tag_field="tag", gc=False):
    """One whole answer of a board of active calls, cut to one shard: every call of that source and shard that is open
    and not in `present` has ended. The front door makes one for each of the 64 shards."""

    shard: int
    observed_us: int
    present: tuple[str, ...]
