"""What an adapter yields about a device that moves."""

import msgspec


class Fix(msgspec.Struct, frozen=True, array_like=True, tag="f", tag_field="tag", gc=False):
    """One report of a device. WGS 84 degrees, meters, meters a second, degrees clockwise from true north.

    `observed_us` counts microseconds since 1970 by the source's clock, already corrected by `clock_offset_ms`.
    """

    identity: str
    observed_us: int
    lon: float
    lat: float
    speed_mps: float | None = None
    heading_deg: float | None = None
    accuracy_m: float | None = None
    altitude_m: float | None = None
    status: str | None = None
    call_sign: str | None = None
    name: str | None = None
    kind: str | None = None
    clock_offset_ms: int = 0
