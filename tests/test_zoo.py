"""What pages offer for pasting is proven on the zoo, as it is shown now."""

import json
import re

import pytest

from tests import pages, runner
from tests.test_site import ROOT
from tests.versions.tables import write
from tests.zoo import core

TABLE = ROOT / "snippets" / "reference" / "recipes.md"
RECORD = json.loads(core.RESULTS.read_text("utf-8"))
# The proofs import TensorFlow, so they are read where it is imported already.
READ = """
import json
from tests.zoo import core, members
print(json.dumps({
    "proofs": {recipe: core.fingerprint(recipe) for recipe in core.load_proofs()},
    "shows": {file: sorted(names) for file, names in core.demonstrations().items()},
    "members": {name: member.name for name, member in members.MEMBERS.items()},
}))
"""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """The proofs by recipe with their fingerprints, what only shows, the models."""
    with runner.Script(tmp_path_factory.mktemp("zoo")) as script:
        result = script.run(READ)
    assert result.error is None, result.error
    return json.loads(result.output)


def report(problems):
    if problems := list(problems):
        pytest.fail("\n".join(["", *problems, "make zoo"]), pytrace=False)


def test_each_proof_is_recorded_for_the_recipe_that_is_shown(zoo):
    proofs = zoo["proofs"]
    report(f"{recipe} is not recorded" for recipe in sorted(proofs.keys() - RECORD))
    report(f"{recipe} has no proof" for recipe in sorted(RECORD.keys() - proofs))
    report(
        f"{recipe}: the recipe, its proof, the zoo or a version changed"
        for recipe, record in RECORD.items()
        if record["fingerprint"] != proofs[recipe]
    )


def test_each_recipe_was_proven_on_the_whole_zoo(zoo):
    for recipe, record in RECORD.items():
        kinds = {name: verdict for name, (verdict, _) in record["results"].items()}
        assert kinds.keys() == zoo["members"].keys(), f"{recipe}: make zoo"
        assert "yes" in kinds.values(), f"{recipe} was proven on no model"


def test_each_function_and_class_of_a_page_is_proven_or_only_shows(zoo):
    # The first proof of a page asks for all of it.
    recipes = [recipe.split(":") for recipe in zoo["proofs"]]
    for file in sorted({file for file, _ in recipes} | zoo["shows"].keys()):
        defined = set(core.definitions(file))
        proven = {name for f, name in recipes if f == file}
        shows = set(zoo["shows"].get(file, []))
        assert defined <= proven | shows, (
            f"{file}: {sorted(defined - proven - shows)} need a proof in "
            "tests/zoo/proofs, or a place in SHOWS there"
        )
        assert shows <= defined, f"{file}: SHOWS lists {sorted(shows - defined)}"
        assert not shows & proven, f"{file}: {sorted(shows & proven)} are proven"


def test_each_fix_of_a_trap_is_proven_or_only_shows(zoo):
    proven = {tuple(recipe.split(":")) for recipe in zoo["proofs"]}
    shows = {(file, name) for file in zoo["shows"] for name in zoo["shows"][file]}
    missing = fixes() - proven - shows
    assert not missing, (
        f"{sorted(missing)} stand below Fix, and need a proof in "
        "tests/zoo/proofs, or a place in SHOWS there"
    )


def fixes() -> set[tuple[str, str]]:
    """Return the functions and classes below Fix on the everyday pages of traps.

    Returns:
        Pairs of a snippet file and a name in it.
    """
    found = set()
    for path in (ROOT / "docs" / "trouble").rglob("*.md"):
        page, heading = pages.read(path, ROOT), ""
        for line in () if page.beyond_tensorflow else page.lines:
            file, _ = line.origin
            if file == page.name and line.startswith("## "):
                heading = line
            defined = re.match(r" *(?:def|class) (\w+)", line)
            if (
                defined
                and heading.startswith("## Fix")
                and file.startswith("snippets/")
            ):
                found.add((file.removeprefix("snippets/"), defined[1]))
    return {(file, name) for file, name in found if name in core.definitions(file)}


def page_of(recipe: str) -> str:
    """Return the link from the table to the page that shows a recipe."""
    file, name = recipe.split(":")
    tool = file in {tool.name for tool in core.TOOLS}
    page = f"reference/{file[:-3]}" if tool else file[:-3]
    return f"[`{name}`](../{page.replace('_', '-')}.md)"


def table(members: dict[str, str]) -> str:
    """Return the record as Markdown tables: recipes by models, then what they say."""
    head = ["| recipe | " + " | ".join(members.values()) + " |"]
    head.append("|---" * (len(members) + 1) + "|")
    tasks, traps = list(head), list(head)
    said = [
        "| recipe | model | what it says, or why it is not for it |",
        "|---|---|---|",
    ]
    for recipe, record in RECORD.items():
        cells = [record["results"][name][0] for name in members]
        cells = ["–" if cell == "not for" else cell for cell in cells]
        rows = traps if recipe.startswith("trouble/") else tasks
        rows.append(f"| {page_of(recipe)} | " + " | ".join(cells) + " |")
        texts = {}
        for name in members:
            kind, text = record["results"][name]
            if kind != "yes":
                texts.setdefault((kind, text), []).append(members[name])
        for (kind, text), models in texts.items():
            text = f"refuses: `{text}`" if kind == "refuses" else text
            said.append(f"| {page_of(recipe)} | {', '.join(models)} | {text} |")
    lines = [
        *tasks,
        *folded(f"The fixes of traps: {len(traps) - 2} recipes", traps),
        *folded("What those say that refuse, and why others are not asked", said),
    ]
    return "\n".join(lines) + "\n"


def folded(title: str, lines: list[str]) -> list[str]:
    """Return lines of Markdown below a title that opens them."""
    return ["", f'??? example "{title}"', "", *(f"    {line}" for line in lines)]


def test_the_page_shows_the_record(zoo, request):
    if request.config.getoption("update_outputs"):
        write(TABLE, table(zoo["members"]))
    assert TABLE.read_text("utf-8") == table(zoo["members"]), (
        f"{TABLE.name} is out of date: make outputs"
    )
