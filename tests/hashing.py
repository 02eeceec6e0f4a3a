"""Passwords in tests that start no process."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def passwords_are_hashed_quickly(settings: Any) -> None:
    """The real hash takes most of a second on purpose; what it protects is not tested here. Processes that a test starts
    still use the real one, so this holds for tests in one process only."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
