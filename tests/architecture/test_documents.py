"""Documents say what is there: commands, links, pictures, the index of decisions."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)]*)?\)")
PICTURES = {"sign-in", "map", "selected-call", "stale-feed", "not-live"}
LARGEST_PICTURE = 400_000
PARTS = 12
TOP = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "rtcc", "apps", "rtcc_geo", "static", "tests", "bench", "docs", "docker"]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors_of(file: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", TOP)
def test_the_top_folder_holds(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_readme_has_its_parts_and_commands() -> None:
    readme = text_of("README.md")
    assert len(re.findall(r"^#{1,2} ", readme, re.MULTILINE)) == PARTS
    for command in ("./rtcc up", "./rtcc test", "./rtcc reset", "./rtcc doctor"):
        assert command in readme


def test_every_verb_that_a_document_names_exists() -> None:
    listed = subprocess.run([sys.executable, ROOT / "rtcc", "--help"], capture_output=True, text=True, check=True).stdout
    verbs = set(re.findall(r"^    ([a-z]+) ", listed, re.MULTILINE))
    named = {verb for file in DOCUMENTS for verb in re.findall(r"\./rtcc ([a-z]+)", file.read_text(encoding="utf-8"))}
    assert named - verbs == set()
    assert named


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_its_links_lead_somewhere(file: Path) -> None:
    lost = []
    for target, anchor in LINK.findall(file.read_text(encoding="utf-8")):
        place = file.parent / target
        if "://" in target:
            continue
        if not place.exists() or (anchor and anchor not in anchors_of(place)):
            lost.append(target + anchor)
    assert lost == []


def test_pictures_are_there_and_small() -> None:
    sizes = {file.stem: file.stat().st_size for file in (ROOT / "docs" / "images").glob("*.png")}
    assert set(sizes) >= PICTURES
    assert max(sizes.values()) <= LARGEST_PICTURE


def test_every_decision_is_in_the_index() -> None:
    index = text_of("docs/decisions/README.md")
    records = [file.name for file in (ROOT / "docs" / "decisions").glob("0*.md")]
    assert [name for name in records if f"({name})" not in index] == []
    assert records
