"""The queue's parcels: the observations of one post that belong to one shard."""

import msgspec

from apps.incidents.observations import BoardPoll, CallReport
from apps.tracks.observations import Fix

Observation = Fix | CallReport | BoardPoll


class Parcel(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Observations with their places in the post (for its receipt), in the order of the post."""

    indexes: list[int]
    observations: list[Observation]


encoder = msgspec.msgpack.Encoder()
decoder = msgspec.msgpack.Decoder(Parcel)
