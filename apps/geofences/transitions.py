"""Who went into and out of which area: a set difference, for many devices at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]


class Crossings(NamedTuple):
    exits: Keys
    entries: Keys


def crossings(*, was_inside: Keys, is_inside: Keys) -> Crossings:
    """Return exits and entries, each ascending. A key names a device in a fence; both inputs are sorted and without doubles."""
    return Crossings(
        np.setdiff1d(was_inside, is_inside, assume_unique=True),
        np.setdiff1d(is_inside, was_inside, assume_unique=True),
    )
