"""A real queue on a real database, with one owner that runs only when a test says so."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.gis.geos import Polygon

from apps.accounts.models import Agency, Instance, InstanceKind
from apps.geofences.models import Fence
from apps.geofences.operations import make_fence
from tests import world
from tests.apps.pipeline.feeding import Feed, new_runner


@pytest.fixture
def agency(transactional_db: None) -> Agency:
    Instance.objects.create(kind=InstanceKind.DEMO)
    return world.make_agency()


@pytest.fixture
def feed(agency: Agency) -> Iterator[Feed]:
    source = world.make_source(agency, origin="simulated")
    runner = new_runner()
    yield Feed(source.pk, runner)
    runner.connection.close()


@pytest.fixture
def square(agency: Agency) -> Fence:
    """A fence from -95.37 to -95.35 and 29.75 to 29.77."""
    return make_square(agency)


def make_square(agency: Agency, name: str = "square", *, west: float = -95.37, size: float = 0.02) -> Fence:
    area = Polygon.from_bbox((west, 29.75, west + size, 29.77))
    area.srid = 4326
    return make_fence(agency=agency, name=name, area=area, at=datetime.now(UTC) - timedelta(days=3))
