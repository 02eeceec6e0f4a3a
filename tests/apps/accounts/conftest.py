"""Each test of sign-in begins with nobody slowed."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()
