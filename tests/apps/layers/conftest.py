import pytest

from apps.accounts.models import Agency
from apps.ingest.models import Source
from tests import world


@pytest.fixture
def instance(db: None) -> None:
    """An operational instance on the real clock."""
    world.make_instance()


@pytest.fixture
def agency(instance: None) -> Agency:
    return world.make_agency()


@pytest.fixture
def cad(agency: Agency) -> Source:
    return world.make_source(agency)
