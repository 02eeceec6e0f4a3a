"""Devices whose clock is steadily wrong: estimated from their last messages, corrected, and flagged.

A unit may never be invisible for its clock. Only devices that were seen far off are remembered.
"""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

MESSAGES = 20
SPREAD_US = 2_000_000
TOLERANCE_US = 30_000_000
REMEMBERED = 50_000


@dataclass(slots=True)
class Device:
    """Offsets (received minus observed, microseconds) of the last messages, and the error that they show."""

    offsets: deque[int] = field(default_factory=lambda: deque(maxlen=MESSAGES))
    last_observed_us: int = -1
    last_received_us: int = -1
    error_us: int = 0

    def learn(self, observed_us: int, received_us: int) -> None:
        """Take one message into account; several fixes of one post count as one message, the newest."""
        if observed_us <= self.last_observed_us:
            return
        if received_us == self.last_received_us:
            self.offsets.pop()
        self.offsets.append(received_us - observed_us)
        self.last_observed_us, self.last_received_us = observed_us, received_us
        if len(self.offsets) == MESSAGES and max(self.offsets) - min(self.offsets) < SPREAD_US:
            steady = round(median(self.offsets))
            self.error_us = steady if abs(steady) > TOLERANCE_US else 0

    def applies(self, offset_us: int) -> bool:
        """Whether this message shows the known error, and not another one."""
        return bool(self.error_us) and abs(offset_us - self.error_us) <= TOLERANCE_US // 3


class ClockErrors:
    """The devices of one source."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}

    def correction_us(self, identity: str, observed_us: int, *, received_us: int) -> int:
        """Return what to add to the device's time (0 when its clock is right, or not yet known)."""
        device = self.devices.get(identity)
        if device is None:
            if len(self.devices) >= REMEMBERED:
                self.devices.pop(next(iter(self.devices)))
            device = self.devices[identity] = Device()
        device.learn(observed_us, received_us)
        offset_us = received_us - observed_us
        if device.applies(offset_us):
            return device.error_us
        if not device.error_us and len(device.offsets) == MESSAGES and all(abs(seen) <= TOLERANCE_US for seen in device.offsets):
            del self.devices[identity]
        return 0
