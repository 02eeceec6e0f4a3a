"""What is not as it was: in words, and by a mark of exactly what was found. Settling signs marks, so that it covers nothing else."""

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True)
class Fault:
    """`kind`: a word for what happened. `link`: where, 0 for what has no link. `found`: the bytes that stand there now."""

    sentence: str
    kind: str
    link: int = 0
    found: bytes = b""

    @property
    def mark(self) -> str:
        """Return the link and a digest of what was found, such as "7:0f3a…". It says nothing of what the entry holds."""
        return f"{self.link}:{sha256(self.kind.encode() + b' ' + self.found).hexdigest()[:32]}"


def missing(first: int, last: int, follows: bytes = b"", *, at_end: bool = False) -> Fault:
    """Return that links are gone. `follows`: what stands behind them, where no signed head vouches for that."""
    which = f"link {first} is" if first == last else f"links {first} to {last} are"
    whose = "its entry and seal" if first == last else "their entries and seals"
    sentence = f"{'the end was deleted: ' if at_end else ''}{which} missing: {whose} were deleted"
    return Fault(sentence, "missing", last, f"{first} ".encode() + follows)
