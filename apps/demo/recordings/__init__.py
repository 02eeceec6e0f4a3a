"""Recorded data that can be replayed, and which file is which."""

from collections.abc import Callable
from pathlib import Path

from apps.demo.recordings.cabs import Cabs
from apps.demo.recordings.contract import Recording, UnknownRecording
from apps.demo.recordings.houston import HoustonCalls
from apps.demo.recordings.polls import BoardPolls

ENDINGS: tuple[tuple[str, Callable[[Path], Recording]], ...] = (
    (".parquet", HoustonCalls),
    (".jsonl.gz", BoardPolls),
    (".jsonl", BoardPolls),
    (".txt.gz", Cabs),
    (".txt", Cabs),
)


def recording_of(path: Path) -> Recording:
    """Return the recording in a file, or in a folder of GPS files. Raises UnknownRecording."""
    if path.is_dir():
        return Cabs(path)
    if not path.is_file():
        raise UnknownRecording(f"there is no file {path}")
    for ending, kind in ENDINGS:
        if path.name.endswith(ending):
            return kind(path)
    raise UnknownRecording(f"{path.name} is none of the recordings that replay can read: {', '.join(ending for ending, _ in ENDINGS)}")
