"""Say below the title of a page on which versions its code ran, and where it differed.

Drawn from tests/versions/pages.json, which `make versions` records. It only decorates:
without it a page is whole, and reference/versions.md has the same facts.
"""

import html
import json
import posixpath
import re
from pathlib import Path

FENCE = re.compile(r"^ *(`{3,})[ {.]*(?:python3?|py)\b")
HEADING = re.compile(r"^#{2,4} +(.*?)(?: *\{[^}]*\})?$")
RECORD = "tests/versions/pages.json"
MATRIX = "reference/versions/"

_record = {}


def on_config(config):
    """Read the record; called by MkDocs before each build."""
    path = Path(config.config_file_path).parent / RECORD
    _record.clear()
    if path.is_file():
        _record.update(json.loads(path.read_text("utf-8")))


def on_page_content(content, page, config, files):
    """Put the line below the title; called by MkDocs for every page."""
    runs = _record.get("pages", {}).get(f"docs/{page.file.src_uri}")
    if not runs or "</h1>" not in content:
        return content
    runs = {name: runs[name][1] for name in _record["pairs"] if name in runs}
    where = headings(page.markdown)
    matrix = posixpath.relpath(MATRIX, page.url or ".") + "/"
    line = f"""
<details class="versions" data-search-exclude>
<summary>{summary(runs)}</summary>
{"".join(details(runs, where))}
<p><a href="{matrix}">All pages and versions</a></p>
</details>
"""
    return content.replace("</h1>", "</h1>" + line, 1)


def headings(markdown: str) -> list[str]:
    """Return below which heading each Python block of a page stands."""
    heading, inside, found = "", None, []
    for line in markdown.split("\n"):
        fence = re.match(r" *(`{3,})", line)
        if inside:
            if fence and line.strip() == inside:
                inside = None
        elif fence:
            inside = fence[1]
            if FENCE.match(line):
                found.append(heading)
        elif match := HEADING.match(line):
            heading = re.sub(r"[\\`]", "", match[1])
    return found


def lacks(found: dict) -> bool:
    """Tell whether a page did not run, because a library was not there."""
    return any(said[0] == "missing" for said in found.values())


def summary(runs: dict) -> str:
    """Return the line: versions with the same outputs, and versions that differ."""
    pairs = _record["pairs"]

    def named(series):
        return [name for name in runs if pairs[name]["series"] == series]

    keras = _record["today"].partition("+")[2]
    said = [f"Ran on Keras {keras}"]
    shipped = named("shipped")
    differ = [name for name in shipped if runs[name] and not lacks(runs[name])]
    same = shipped[: shipped.index(differ[0])] if differ else shipped
    short = {name: pairs[name]["title"].removeprefix("Keras ") for name in pairs}
    if all(lacks(found) for found in runs.values()):
        return f"{said[0]}; on other versions not run"
    if same:
        said.append(f"the same since {short[same[-1]]}")
    differ += [
        name for name in named("keras 2")[:1] if runs[name] and not lacks(runs[name])
    ]
    if differ:
        titles = [
            pairs[name]["title"] if pairs[name]["series"] == "keras 2" else short[name]
            for name in differ
        ]
        text = "differs in " + ", ".join(titles)
        if len(differ) == 1:
            count = len(runs[differ[0]])
            text += f": {count} block{'s' * (count != 1)}"
        said.append(text)
    elif named("keras 2"):
        said.append("the same in " + pairs[named("keras 2")[0]]["title"])
    return "; ".join(said)


def details(runs: dict, where: list[str]):
    """Yield a paragraph of the versions with the same outputs, and a list per other."""
    pairs = _record["pairs"]
    groups = {}
    for name, found in runs.items():
        groups.setdefault(json.dumps(found), []).append(name)
    for found, names in sorted(groups.items(), key=lambda group: group[0] != "{}"):
        by_keras = {}
        for name in names:
            by_keras.setdefault(pairs[name]["title"], []).append(
                pairs[name]["tensorflow"]
            )
        titles = [
            f"{title} with TensorFlow {', '.join(versions)}"
            for title, versions in by_keras.items()
        ]
        text = html.escape("; ".join(titles))
        found = json.loads(found)
        if not found:
            yield f"<p><strong>The same outputs</strong>: {text}.</p>"
            continue
        items = [
            f"<li>{place(int(number), where)}: {told(said)}</li>"
            for number, said in found.items()
        ]
        yield f"<p><strong>{text}</strong></p><ul>{''.join(items)}</ul>"


def place(number: int, where: list[str]) -> str:
    """Return where on the page a block stands, by its number from 1."""
    heading = where[number - 1] if number <= len(where) else ""
    if not heading:
        return f"block {number} of the page"
    inside = where[:number].count(heading)
    only = where.count(heading) == 1
    return html.escape(f"“{heading}”" + ("" if only else f", block {inside}"))


def told(said: list[str]) -> str:
    """Return what a block did, in words."""
    kind, *lines = said
    code = [
        f"<code>{html.escape(line)}</code>" if line else "nothing" for line in lines
    ]
    return {
        "other": lambda: f"prints {code[1]} where {code[0]} stands here",
        "raised": lambda: f"raises {code[0]}",
        "unreached": lambda: f"lacks what a block above it makes ({code[0]})",
        "missing": lambda: f"not run there, for want of {code[0]}",
    }[kind]()
