"""What revision of a layer has been applied, and whether something is missing. Pure: hints in, those to apply out."""

from apps.layers.hints import LayerChange

GAP_S = 0.05  # hints of two owners of shards often come swapped; the missing one is usually there within milliseconds
BEHIND_S = 0.25
LATE_S = 3.0  # a lost hint costs two seconds at most; what takes longer is no loss but a fault
STUCK_S = 10.0
MOST_WAITING = 512


class Head:
    """The applied revision of one layer of one agency. Times are seconds of a monotonic clock."""

    def __init__(self, applied: int = 0) -> None:
        self.applied = applied
        self.known = applied
        self.waiting: dict[int, LayerChange] = {}
        self.missing_since: float | None = None
        self.must_read = False
        self.is_reading = False
        self.owed = 0
        self.owed_since: float | None = None

    def offer(self, change: LayerChange, at: float) -> list[LayerChange]:
        """Take a hint. Return what can be applied now, in order."""
        if change.rev <= self.applied:
            return []
        self.known = max(self.known, change.rev)
        if change.records is None or len(self.waiting) >= MOST_WAITING:
            self.must_read = True
        else:
            self.waiting[change.prev] = change
        return self._chain(at)

    def saw(self, rev: int, at: float) -> None:
        """Take the revision that the database has."""
        self.known = max(self.known, rev)
        if rev > self.applied and self.owed_since is None:
            self.owed, self.owed_since = rev, at
        self._look(at)

    def owes_since(self, at: float, patience_s: float) -> bool:
        """Say whether a revision that the database was seen to have is missing for longer than that, whatever was tried."""
        return self.owed_since is not None and at - self.owed_since > patience_s

    def reading(self) -> None:
        """A read begins. It sees all that was committed before, so only what is told from now on can be missing after it."""
        self.is_reading, self.must_read = True, False
        self.known, self.missing_since = self.applied, None

    def caught_up(self, rev: int, at: float) -> list[LayerChange]:
        """A read brought the replica to `rev`. Return the waiting hints that follow it."""
        self.is_reading = False
        self.applied = max(self.applied, rev)
        self.known = max(self.known, self.applied)
        return self._chain(at)

    def not_read(self) -> None:
        """The read failed; the next look at the database's heads finds the gap again."""
        self.is_reading, self.must_read = False, False
        self.known, self.missing_since = self.applied, None

    def wants_read(self, at: float, patience_s: float) -> bool:
        """Say whether to read from the database now."""
        if self.is_reading or self.applied >= self.known:
            return False
        late = self.missing_since is not None and at - self.missing_since >= (GAP_S if self.waiting else patience_s)
        return self.must_read or late

    def _chain(self, at: float) -> list[LayerChange]:
        ready = []
        while not self.is_reading and (change := self.waiting.pop(self.applied, None)):
            ready.append(change)
            self.applied = change.rev
        self.waiting = {prev: change for prev, change in self.waiting.items() if change.rev > self.applied}
        self._look(at)
        return ready

    def _look(self, at: float) -> None:
        if self.applied >= self.owed:
            self.owed_since = None
        if self.applied >= self.known:
            self.missing_since, self.must_read = None, False
        elif self.missing_since is None:
            self.missing_since = at
