from pathlib import Path
from typing import Any

import pytest

from tests import world
from tests.apps.retention.aged import Town


@pytest.fixture
def town(settings: Any, tmp_path: Path) -> Town:
    settings.STATE_FOLDER = tmp_path
    world.make_instance()
    return Town()
