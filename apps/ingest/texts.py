"""How long a text may be: the columns that hold it."""

LIMITS = {
    "identity": 120,
    "name": 120,
    "kind": 24,
    "call_sign": 24,
    "status": 16,
    "number": 80,
    "type": 160,
    "priority": 16,
    "address": 300,
    "cross_streets": 300,
    "narrative": 20_000,
}
UNIT_LIMIT = 24
UNITS_LIMIT = 200


def clean(text: str) -> str:
    """Replace what PostgreSQL cannot hold: NUL and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
