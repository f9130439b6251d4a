"""The house: of which kind each page is, what its kind holds, and what leads where.

A page's front matter says its kind; KINDS says what such a page holds.
"""

import functools
import posixpath
import re
import statistics
from pathlib import Path

import pytest
from mkdocs.utils import meta
from mkdocs.utils.yaml import yaml_load

from tests.test_site import DOCS, ROOT, SNIPPETS

NEXT, WRONG = "Where to go next", "What can go wrong"
# Second-level headings of a trap and a symptom; those that end a page of another kind.
KINDS = {
    "task": [WRONG, NEXT],
    "trap": ["What you see", "Why", "Fix", "Make sure", NEXT],
    "symptom": ["Measure", "Read the cause", "Each cause, measured", NEXT],
    "finder": ["None of these", NEXT],
    "explanation": [NEXT],
    "example": [NEXT],
    "reference": [],
    "home": [],
}
ANSWERED = ("task", "trap", "symptom", "finder")
ANSWER = re.compile(r"^!!! answer ", re.MULTILINE)
SNIPPET_LINES, SNIPPET_MEDIAN = 200, 100
WORDS_MEDIAN = 600
FOLDER_FILES = 15
TABS = 8
TAGS = 5

PAGES = [p.relative_to(ROOT).as_posix() for p in DOCS]
page_of = pytest.mark.parametrize("name", PAGES)


@functools.cache
def source(name: str) -> tuple[str, str]:
    """Return the kind of a page and its text."""
    text, front_matter = meta.get_data((ROOT / name).read_text("utf-8"))
    return front_matter.get("kind"), text


def of_kind(*kinds: str) -> list[str]:
    """Return the pages of some kinds."""
    return [name for name in PAGES if source(name)[0] in kinds]


def prose(text: str) -> str:
    """Return the text of a page without code, outputs and link targets."""
    text = re.sub(r"^ *(`{3,}).*?^ *\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"<!--.*?-->|\]\([^)]*\)|\{[^}]*\}", " ", text, flags=re.DOTALL)


def parts(text: str) -> dict[str, str]:
    """Return the parts of a page by their second-level headings."""
    text = re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    pieces = re.split(r"^## +(.*?)(?: *\{.*\})?$", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def links(name: str, text: str) -> set[str]:
    """Return the pages that a text on a page links to."""
    folder = posixpath.dirname(name)
    targets = re.findall(r"\]\(([^)#:]+\.md)", text)
    return {posixpath.normpath(posixpath.join(folder, target)) for target in targets}


@page_of
def test_a_page_is_of_a_kind_and_has_its_parts(name):
    kind, text = source(name)
    assert kind in KINDS, (
        f"{name}: its front matter says 'kind: {kind}', not one of {', '.join(KINDS)}"
    )
    headings, wanted = list(parts(text)), KINDS[kind]
    shown = headings[-len(wanted) :] if wanted else []
    if kind in ("trap", "symptom"):
        shown = headings
    assert shown == wanted, f"{name}: a {kind} ends with ## {', ## '.join(wanted)}"
    answers = len(ANSWER.findall(text))
    assert (
        answers == 1 if kind in ("task", "trap", "symptom", "finder") else answers <= 1
    ), f"{name}: {answers} boxes '!!! answer'"


@pytest.mark.parametrize("name", of_kind("task", "trap", "symptom", "explanation"))
def test_a_page_has_the_words_of_its_readers(name):
    _, front_matter = meta.get_data((ROOT / name).read_text("utf-8"))
    tags = front_matter.get("tags", [])
    assert len(set(tags)) >= TAGS, (
        f"{name}: 'tags' in its front matter hold fewer than {TAGS} phrases that "
        "readers search with"
    )
    assert all(isinstance(tag, str) for tag in tags), f"{name}: quote what YAML reads"


@pytest.mark.parametrize("name", of_kind("trap"))
def test_a_trap_is_listed_by_a_task_and_leads_back(name):
    listed = {
        page
        for page in of_kind("task")
        if name in links(page, parts(source(page)[1]).get(WRONG, ""))
    }
    assert listed, f"{name}: no task page lists it below '## {WRONG}'"
    back = links(name, parts(source(name)[1])[NEXT])
    assert listed & back, (
        f"{name}: '## {NEXT}' leads to none of {', '.join(sorted(listed))}"
    )


@pytest.mark.parametrize("name", of_kind("symptom"))
def test_a_symptom_leads_to_its_causes(name):
    rows = re.findall(r"^\|.*$", source(name)[1], re.MULTILINE)
    causes = [row for row in rows[2:] if links(name, row)]
    assert len(causes) >= 2, f"{name}: a row per cause, each with a link"


def lengths(paths: list[Path]) -> dict[str, int]:
    """Return the number of lines of some files."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8").count("\n")
        for path in paths
    }


def test_snippets_are_short():
    found = lengths(SNIPPETS)
    long = {file: lines for file, lines in found.items() if lines > SNIPPET_LINES}
    assert not long, f"more than {SNIPPET_LINES} lines: {long}"
    assert statistics.median(found.values()) <= SNIPPET_MEDIAN


def test_pages_are_short():
    found = [len(re.findall(r"\w+", prose(source(name)[1]))) for name in PAGES]
    assert statistics.median(found) <= WORDS_MEDIAN


@pytest.mark.parametrize("top", ["docs", "snippets"])
def test_folders_are_small(top):
    folders = [p for p in (ROOT / top).rglob("[!.]*") if p.is_dir()]
    for folder in [ROOT / top, *folders]:
        if ".ruff_cache" in folder.parts or "__pycache__" in folder.parts:
            continue
        files = [p for p in folder.iterdir() if p.is_file() and p.stem != "__init__"]
        assert len(files) <= FOLDER_FILES, (
            f"{folder.relative_to(ROOT)} holds {len(files)} files: group them"
        )


def test_there_are_few_tabs():
    with open(ROOT / "mkdocs.yml", "rb") as file:
        assert len(yaml_load(file)["nav"]) <= TABS
