"""The profile that a new agency starts with, until it enters its own codes."""

from typing import NamedTuple

from apps.accounts.models import Meaning

SHIFTS = [
    {"name": "Day", "starts": "07:00", "ends": "15:00"},
    {"name": "Evening", "starts": "15:00", "ends": "23:00"},
    {"name": "Night", "starts": "23:00", "ends": "07:00"},
]


class Status(NamedTuple):
    number: int
    code: str
    label: str
    letter: str
    meaning: str


class Priority(NamedTuple):
    code: str
    label: str
    rank: int


STATUSES = (
    Status(1, "AVL", "Available", "A", Meaning.AVAILABLE),
    Status(2, "DSP", "Dispatched", "D", Meaning.DISPATCHED),
    Status(3, "ENR", "En route", "E", Meaning.EN_ROUTE),
    Status(4, "ONS", "On scene", "S", Meaning.ON_SCENE),
    Status(5, "TRN", "Transporting", "T", Meaning.TRANSPORTING),
    Status(6, "BSY", "Busy", "B", Meaning.BUSY),
    Status(7, "OOS", "Out of service", "O", Meaning.OUT_OF_SERVICE),
    Status(8, "OFF", "Off duty", "X", Meaning.OFF_DUTY),
    Status(9, "EMR", "Emergency", "!", Meaning.EMERGENCY),
)
PRIORITIES = (
    Priority("1", "Emergency", 0),
    Priority("2", "Urgent", 1),
    Priority("3", "Routine", 2),
    Priority("4", "Low", 3),
    Priority("5", "Report only", 4),
)
