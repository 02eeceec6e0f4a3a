"""The instance's clock: real time, or a simulated one that is a straight line over real time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """Return whole microseconds since 1970 of an aware datetime."""
    return (at - EPOCH) // timedelta(microseconds=1)


def moment(us: int) -> datetime:
    """Return the aware datetime (UTC) of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)


@dataclass(frozen=True)
class Clock:
    """Instance time. `sim(t0, speed)` shows t0 at the real moment real0 and runs `speed` times as fast."""

    t0: datetime
    real0: datetime
    speed: float

    @classmethod
    def real(cls) -> "Clock":
        return cls(t0=EPOCH, real0=EPOCH, speed=1.0)

    def at(self, real: datetime) -> datetime:
        """Return the instance's time at a real moment."""
        return self.t0 + (real - self.real0) * self.speed

    def now(self) -> datetime:
        return self.at(datetime.now(UTC))
