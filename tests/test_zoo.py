"""What pages offer for pasting is proven on the zoo, as it is shown now."""

import json

import pytest

from tests.test_site import ROOT
from tests.versions import write
from tests.zoo import core, members

TABLE = ROOT / "snippets" / "reference" / "recipes.md"
PROOFS = core.load_proofs()
# The pages whose recipes have proofs; the first proof of a page asks for all of it.
FILES = sorted(
    {recipe.partition(":")[0] for recipe in PROOFS} | set(core.demonstrations())
)
RECORD = json.loads(core.RESULTS.read_text("utf-8"))


@pytest.mark.parametrize("recipe", RECORD)
def test_a_recipe_was_proven_as_it_is_shown(recipe):
    assert recipe in PROOFS, f"{recipe} is recorded, but has no proof: make zoo"
    assert RECORD[recipe]["fingerprint"] == core.fingerprint(recipe), (
        f"{recipe}: the recipe, its proof, the zoo or a version changed: make zoo"
    )
    kinds = {name: verdict for name, (verdict, _) in RECORD[recipe]["results"].items()}
    assert kinds.keys() == members.MEMBERS.keys(), f"{recipe}: make zoo"
    assert "yes" in kinds.values(), f"{recipe} was proven on no model"


@pytest.mark.parametrize("file", FILES)
def test_each_function_and_class_of_a_page_is_proven_or_only_shows(file):
    defined = set(core.definitions(file))
    proven = {name for f, name in (r.split(":") for r in PROOFS) if f == file}
    shows = core.demonstrations().get(file, set())
    assert defined <= proven | shows, (
        f"{file}: {sorted(defined - proven - shows)} need a proof in tests/zoo/proofs, "
        "or a place in SHOWS there"
    )
    assert shows <= defined, f"{file}: SHOWS lists {sorted(shows - defined)}"
    assert not shows & proven, f"{file}: {sorted(shows & proven)} are proven"


def page_of(recipe: str) -> str:
    """Return the link from the table to the page that shows a recipe."""
    file, name = recipe.split(":")
    page = "reference/bn-tools" if file == core.TOOLS.name else file[:-3]
    return f"[`{name}`](../{page.replace('_', '-')}.md)"


def table() -> str:
    """Return the record as a Markdown table: recipes by models."""
    names = [member.name for member in members.MEMBERS.values()]
    lines = [
        "| recipe | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for recipe, record in RECORD.items():
        cells = [record["results"][name][0] for name in members.MEMBERS]
        cells = ["–" if cell == "not for" else cell for cell in cells]
        lines.append(f"| {page_of(recipe)} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "| recipe | model | what it says, or why it is not for it |",
        "|---|---|---|",
    ]
    for recipe, record in RECORD.items():
        texts = {}
        for name in members.MEMBERS:
            kind, text = record["results"][name]
            if kind != "yes":
                texts.setdefault((kind, text), []).append(members.MEMBERS[name].name)
        for (kind, text), models in texts.items():
            said = f"refuses: `{text}`" if kind == "refuses" else text
            lines.append(f"| {page_of(recipe)} | {', '.join(models)} | {said} |")
    return "\n".join(lines) + "\n"


def test_the_page_shows_the_record(request):
    if request.config.getoption("update_outputs"):
        write(TABLE, table())
    assert TABLE.read_text("utf-8") == table(), (
        f"{TABLE.name} is out of date: make outputs"
    )
