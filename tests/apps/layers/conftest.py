import pytest

from tests import world


@pytest.fixture
def instance(db: None) -> None:
    """An operational instance on the real clock."""
    world.make_instance()
