"""How much one source may send: a bucket of observations that fills at its quota."""

BURST_S = 5.0


class Quota:
    """Times are monotonic seconds. A post may overdraw the bucket once; the next one waits until it is above zero again."""

    def __init__(self, per_s: float, *, at: float) -> None:
        self.per_s = max(per_s, 0.001)
        self.left = self.per_s * BURST_S
        self.filled_at = at

    def wait_s(self, *, at: float) -> float:
        """Return 0 when a post may come now, else the seconds until one may."""
        self.left = min(self.per_s * BURST_S, self.left + (at - self.filled_at) * self.per_s)
        self.filled_at = at
        return 0.0 if self.left > 0 else -self.left / self.per_s + 0.001

    def take(self, observations: int) -> None:
        self.left -= observations
