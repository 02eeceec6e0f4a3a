"""The fixes of a batch as arrays, one entry a fix, in order of arrival."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FixArrays:
    """`slot` indexes the owner's memory. Degrees (WGS 84), meters, meters a second; NaN is unknown. Times are
    microseconds since 1970."""

    slot: NDArray[np.int64]
    track_id: NDArray[np.int64]
    observed_us: NDArray[np.int64]
    received_us: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    altitude_m: NDArray[np.float64]
    speed_mps: NDArray[np.float64]
    heading_deg: NDArray[np.float64]
    accuracy_m: NDArray[np.float64]
    status: NDArray[np.int16]
    clock_offset_ms: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.slot)

    def take(self, chosen: NDArray[np.intp]) -> "FixArrays":
        """Return the fixes at these places."""
        return FixArrays(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))
