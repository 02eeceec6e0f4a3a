"""The packed record of a position that a hint carries from the pipeline to the hubs."""

import numpy as np

POSITION = np.dtype(
    [
        ("track", "<u8"),
        ("observed_us", "<i8"),
        ("received_us", "<i8"),
        ("lon", "<i4"),
        ("lat", "<i4"),
        ("speed_mps", "<f4"),
        ("heading_deg", "<f4"),
        ("accuracy_m", "<f4"),
        ("status", "u1"),
        ("flags", "u1"),
        ("pad", "<u2"),
    ]
)
CLOCK_OFF = 1
DEGREE = 10_000_000
