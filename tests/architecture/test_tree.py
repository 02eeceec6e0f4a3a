"""What holds for the whole tree and no linter says."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
REGISTRIES = re.compile(
    r"(registry\.npmjs\.org|registry\.yarnpkg\.com|npm\.pkg\.github\.com|pypi\.org|pythonhosted\.org|index\.crates\.io|deb\.debian\.org"
    r"|archive\.ubuntu\.com|cdn\.jsdelivr\.net|unpkg\.com|cdnjs\.cloudflare\.com|esm\.sh|fonts\.googleapis\.com)"
)
MACHINE = re.compile(r"(?<![\w./~-])/(work|root)/")
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
BANNED_NAMES = {"utils", "helpers", "common", "services", "managers"}
ON_DISK = {".venv", ".git", "node_modules", "__pycache__", "dist"}


def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


FILES = committed()
PYTHON = [file for file in FILES if file.suffix == ".py"]
SOURCES = [file for file in PYTHON if file.is_relative_to(ROOT / "apps") or file.is_relative_to(ROOT / "rtcc_geo")]


def short(file: Path) -> str:
    return str(file.relative_to(ROOT))


def texts() -> Iterator[tuple[Path, str]]:
    for file in FILES:
        if file != Path(__file__) and file.suffix not in {".png", ".ico", ".pmtiles"}:
            yield file, file.read_text(encoding="utf-8")


def imports(file: Path) -> set[str]:
    return set(re.findall(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""", file.read_text(encoding="utf-8")))


def test_only_the_map_folder_knows_the_map_library() -> None:
    """Browser tests and the build may name it; of the client's sources only static/src/map/ may."""
    client = ROOT / "static" / "src"
    guilty = [
        short(file)
        for file in FILES
        if file.is_relative_to(client) and file.suffix == ".ts" and not file.is_relative_to(client / "map")
        and any(name.split("/")[0] in {"maplibre-gl", "@deck.gl", "deck.gl", "terra-draw"} for name in imports(file))
    ]  # fmt: skip
    assert guilty == []
    assert any(file.is_relative_to(client / "map") for file in FILES)


def test_no_file_names_a_registry_or_content_network() -> None:
    assert [short(file) for file, text in texts() if REGISTRIES.search(text)] == []


def test_no_file_names_a_place_of_this_machine() -> None:
    assert [short(file) for file, text in texts() if MACHINE.search(text)] == []


@pytest.mark.parametrize("folder", ["apps", "rtcc_geo", "tests", "bench"])
def test_no_module_has_a_name_that_says_nothing(folder: str) -> None:
    found = [short(file) for file in PYTHON if file.is_relative_to(ROOT / folder) and set(file.with_suffix("").parts) & BANNED_NAMES]
    assert found == []


def test_files_and_functions_stay_short() -> None:
    long = [short(file) for file in PYTHON if len(file.read_text().splitlines()) > LONGEST_FILE]
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION:
                long.append(f"{short(file)}: {node.name}")
    assert long == []


def swallows(node: ast.AST) -> bool:
    return isinstance(node, ast.ExceptHandler) and all(isinstance(line, ast.Pass) for line in node.body)


def test_no_source_puts_off_or_hides_a_failure() -> None:
    guilty = []
    for file in SOURCES:
        text = file.read_text()
        if re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", text) or any(map(swallows, ast.walk(ast.parse(text)))):
            guilty.append(short(file))
    assert guilty == []


def test_the_domain_never_reads_the_machines_clock_for_what_happened() -> None:
    """Functions take `at=`. Real time is for who measures, waits, or (ingest) ends a key."""
    asked = re.compile(r"datetime\.now|timezone\.now|time\.time\(")
    timeless = [file for file in SOURCES if file.name in {"operations.py", "queries.py", "layers.py", "features.py"}]
    guilty = [short(file) for file in timeless if asked.search(file.read_text())]
    assert set(guilty) <= {"apps/ingest/operations.py"}
    assert len(timeless) > 10


def test_the_tests_mirror_the_apps() -> None:
    apps = {folder.name for folder in (ROOT / "apps").iterdir() if folder.is_dir() and folder.name not in ON_DISK}
    tested = {folder.name for folder in (ROOT / "tests" / "apps").iterdir() if folder.is_dir() and folder.name not in ON_DISK}
    assert tested == apps
    for app in apps:
        assert list((ROOT / "tests" / "apps" / app).glob("test_*.py")), f"{app} has no tests"
