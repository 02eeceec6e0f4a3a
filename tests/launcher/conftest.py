"""The launcher as a module, and private servers started with it."""

import importlib.util
import io
import sys
import tempfile
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def load(path: Path) -> Any:
    """Load an executable file without suffix as a module of its own."""
    loader = SourceFileLoader("rtcc_launcher", str(path))
    spec = importlib.util.spec_from_loader("rtcc_launcher", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rtcc_launcher"] = module
    loader.exec_module(module)
    return module


@pytest.fixture
def launcher() -> Any:
    return load(ROOT / "rtcc")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A temporary folder with a short path, closed to others, as root's home is."""
    with tempfile.TemporaryDirectory(prefix="rt") as name:
        yield Path(name)


@pytest.fixture
def servers(launcher: Any, short_folder: Path) -> Iterator[Any]:
    """Servers in a folder with a space, a comma and a name that no user but ours may enter; gone after the test."""
    with launcher.Servers(short_folder / "a b, c") as pair:
        yield pair


@pytest.fixture
def report(launcher: Any) -> Any:
    """Steps go into `report.out`, which is no terminal."""
    return launcher.Report(io.StringIO())
