"""What the tests of architecture share."""

from tests.hashing import passwords_are_hashed_quickly  # noqa: F401 (for each test here)
