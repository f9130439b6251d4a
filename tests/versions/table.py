"""The table of pages by versions, made from the record of `matrix.py`."""

from itertools import groupby
from pathlib import PurePosixPath

from tests.versions import environments, matrix

TABLE = environments.ROOT / "snippets" / "reference" / "versions.md"
SAME, LACKING = "=", "–"


def cell(found: dict | None) -> str:
    """Return what a page did on a pair: ``=``, or how many blocks differ.

    An exclamation mark says that one of them raised; a dash that the page did not run.
    """
    if found == {}:
        return SAME
    kinds = [said[0] for said in (found or {}).values()]
    if found is None or "missing" in kinds:
        return LACKING
    return f"{len(found)}{'!' * ('raised' in kinds)}"


def runs(record: dict, page: str) -> dict[str, dict]:
    """Return what a page did, by pair."""
    return {pair: run[1] for pair, run in record["pages"][page].items()}


def columns() -> dict[str, list[str]]:
    """Return the columns of the table: heading, and the pairs that it stands for.

    The older versions of TensorFlow with today's Keras share one.
    """
    several = environments.PAGES_RUN_ON.get("newest keras", ())
    found = {}
    for series, pairs in environments.PAGES_RUN_ON.items():
        for pair in pairs if pairs is not several else ():
            short = "next" if series == "next" else pair.keras.rpartition(".")[0]
            short = "tf_keras" if pair.package == "tf_keras" else short
            found[short] = [pair.name]
    if several:
        found["older TF"] = [pair.name for pair in several]
    return found


def summary(record: dict) -> list[str]:
    """Return a table with a row a pair: on how many pages all, or not all, is equal."""
    lines = ["| Keras | TensorFlow | same | differ | raise |", "|---|---|---|---|---|"]
    for pair in environments.OTHERS.values():
        cells = [cell(runs(record, page).get(pair.name)) for page in record["pages"]]
        same, raised = cells.count(SAME), sum(text.endswith("!") for text in cells)
        differ = len(cells) - same - raised - cells.count(LACKING)
        title = pair.title.removeprefix("Keras ")
        lines.append(f"| {title} | {pair.tensorflow} | {same} | {differ} | {raised} |")
    return lines


def rows(record: dict, pages: list[str]) -> list[str]:
    """Return a row for each page that differs somewhere, or nothing."""
    lines = []
    for page in pages:
        found = runs(record, page)
        cells = []
        for pairs in columns().values():
            each = [cell(found.get(pair)) for pair in pairs]
            cells.append(next((text for text in each if text != SAME), SAME))
        if set(cells) - {SAME, LACKING}:
            path = PurePosixPath(page).relative_to("docs")
            lines.append(f"| [{path.stem}](../{path}) | " + " | ".join(cells) + " |")
    return lines


def text() -> str:
    """Return the tables as sections of Markdown: ``summary``, then ``pages``."""
    record = matrix.load()
    lines = [
        "<!-- Written by make versions. -->",
        "",
        "<!-- --8<-- [start:summary] -->",
    ]
    lines += [*summary(record), "<!-- --8<-- [end:summary] -->", ""]
    lines += ["<!-- --8<-- [start:pages] -->"]
    head = ["| page | " + " | ".join(columns()) + " |", "|---" * (len(columns()) + 1)]
    head[1] += "|"
    ordered = sorted(record["pages"], key=lambda page: str(PurePosixPath(page).parent))
    for folder, group in groupby(ordered, lambda page: PurePosixPath(page).parent):
        pages = sorted(group)
        differ = rows(record, pages)
        title = str(folder.relative_to("docs")).replace(".", "home")
        count = f"{len(differ)} of {len(pages)}" if differ else f"none of {len(pages)}"
        title = f'??? example "{title}: {count} differ somewhere"'
        if differ:
            lines += [title, "", *("    " + line for line in (*head, *differ)), ""]
    return "\n".join([*lines, "<!-- --8<-- [end:pages] -->", ""])


def write() -> None:
    """Write the tables."""
    TABLE.write_text(text(), "utf-8")
