"""All pages on other versions: run, compared block by block, and recorded.

docs/.hooks/versions.py draws a line on each page from it, `table.py` a table.

The record, `pages.json`, holds for each page and pair what differs from today, by the
number of the block, from 1:

- ``["other", shown, printed]``: the first line that is not the one the page shows,
- ``["raised", message]``: the exception that ended the block,
- ``["unreached", message]``: it lacked what a block that raised above would have made,
- ``["missing", library]``: it needs a library that is not part of these runs, and
  nothing is said of the page's other blocks.

A block that is not listed printed what the page shows. Beside it stands a hash of what
was run, so a page that changed is found, and an interrupted run goes on where it ended.
"""

import datetime
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path

from tests import pages, runner
from tests.versions import environments, scripts
from tests.versions.environments import ROOT, Pair

RECORD = Path(__file__).with_name("pages.json")
SCHEMA = 1
LONGEST = 240
"""Characters kept of a line or a message."""

# The folder that a page ran in, and that of the environment.
_PLACE = re.compile(r"/[^\s'\"]*?/(?:page-\w+|site-packages)/")
# By Python, and by Keras.
_ABSENT = re.compile(
    r"ModuleNotFoundError: No module named '(?P<name>[\w.]+)'"
    r"|ImportError: \w+ requires the '(?P<package>[\w-]+)' package"
)
_TOLD = ("python", "tensorflow-cpu", "keras", "keras-nightly", "tf-keras", "numpy")


def fingerprint(page: pages.Page) -> str:
    """Return a short hash of what a run of a page depends on: code, outputs, tools.

    Words around the blocks may change without a new run.
    """
    text = "\0".join(pages.ingredients(page, ROOT))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@functools.cache
def everyday_pages() -> dict[str, pages.Page]:
    """Return the pages that run on nothing but TensorFlow, by name."""
    found = {}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        page = pages.read(path, ROOT)
        runs = any(block.reason is None for block in page.blocks)
        if runs and not page.beyond_tensorflow:
            found[page.name] = page
    return found


def load() -> dict:
    """Return the record; an empty one where there is none."""
    if not RECORD.is_file():
        return {"schema": SCHEMA, "today": "", "pairs": {}, "pages": {}}
    record = json.loads(RECORD.read_text("utf-8"))
    if record.get("schema") != SCHEMA:
        raise SystemExit(f"{RECORD} is of another schema; delete it and run it all.")
    return record


def save(record: dict) -> None:
    """Write the record, a line a page, as a whole or not at all."""
    lines = [f' "{key}": {json.dumps(record[key])},\n' for key in ("schema", "today")]
    order = {name: n for n, name in enumerate(environments.OTHERS)}
    for key in ("pairs", "pages"):
        entries = sorted(record[key].items(), key=lambda e: (order.get(e[0], 0), e[0]))
        inside = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
            for name, value in entries
        )
        lines.append(f' "{key}": {{\n{inside}\n }}' + ",\n" * (key == "pairs"))
    temporary = RECORD.with_suffix(".new")
    temporary.write_text("{\n" + "".join(lines) + "\n}\n", "utf-8")
    temporary.replace(RECORD)


def stale(record: dict, pair: Pair) -> list[str]:
    """Return the pages whose record on a pair is not of what they are now."""
    return [
        name
        for name, page in everyday_pages().items()
        if record["pages"].get(name, {}).get(pair.name, [""])[0] != fingerprint(page)
    ]


def with_scripts(again: bool, only: list[str]) -> list[str]:
    """Return the pages with scripts of other versions that changed since they ran."""
    return [
        name
        for name, page in everyday_pages().items()
        if (not only or name in only)
        and any(
            block.version and (again or not scripts.recorded(page, block))
            for block in page.blocks
        )
    ]


def verdict(shown: str | None, printed: str, error: str | None, broken: bool):
    """Return what the record says of a block, or `None` if it is as shown.

    Args:
        shown: The output on the page.
        printed: What the block printed.
        error: The exception that ended it.
        broken: Whether a block above it on the page has raised.
    """
    if error is None:
        if printed == (shown or ""):
            return None
        lines = zip_longest(
            (shown or "").split("\n"), printed.split("\n"), fillvalue=""
        )
        differ = next((pair for pair in lines if pair[0] != pair[1]), ("", ""))
        return ["other", *(_PLACE.sub("", line)[:LONGEST] for line in differ)]
    message = _PLACE.sub("", error.strip().split("\n")[0])[:LONGEST]
    if absent := _ABSENT.match(message):
        library = (absent["name"] or absent["package"]).partition(".")[0]
        if library not in ("keras", "tensorflow"):
            return ["missing", library]
    if broken and message.startswith(("NameError", "FileNotFoundError")):
        return ["unreached", message]
    return ["raised", message]


def _request(page: pages.Page) -> dict:
    """Return what the worker needs to run a page."""
    blocks = []
    for block in page.blocks:
        if block.reason is None:
            files = block.version and str(scripts.kept(page, block))
            blocks.append([block.code, block.line + 1, block.script, files])
    tools = [str(ROOT / file) for file in page.tools]
    return {"name": page.name, "tools": tools, "blocks": blocks}


def _verdicts(page: pages.Page, results: list) -> dict:
    ran = [n for n, block in enumerate(page.blocks, 1) if block.reason is None]
    found, broken = {}, False
    for number, (printed, error) in zip(ran, results, strict=True):
        said = verdict(page.blocks[number - 1].output, printed, error, broken)
        broken = broken or error is not None
        if said is not None and said[0] == "missing":
            return {str(number): said}
        if said is not None and page.blocks[number - 1].version is None:
            found[str(number)] = said
    return found


def installed(python: Path) -> dict[str, str]:
    """Return what an environment holds of the libraries that matter."""
    code = (
        "import importlib.metadata as m, json, platform\n"
        "named = {d.name.lower().replace('_', '-'): d for d in m.distributions()}\n"
        "found = {name: d.version for name, d in named.items()}\n"
        "print(json.dumps({'python': platform.python_version(), **found}))"
    )
    found = json.loads(subprocess.check_output([python, "-c", code], text=True))
    return {name: found[name] for name in _TOLD if name in found}


def run(pair: Pair, names: list[str]) -> None:
    """Run pages on a pair, and record each as soon as it is done."""
    chosen = {name: page for name, page in everyday_pages().items() if name in names}
    if not chosen:
        return
    python = environments.install(pair)
    record = load()
    record["today"] = environments.TODAY.name
    series = next(s for s, p in environments.PAGES_RUN_ON.items() if pair in p)
    record["pairs"][pair.name] = {
        "title": pair.title,
        "tensorflow": pair.tensorflow,
        "series": series,
        "installed": installed(python),
        "date": datetime.date.today().isoformat(),
    }
    runner.quiet()
    requests = "".join(json.dumps(_request(page)) + "\n" for page in chosen.values())
    command = [python, "-m", "tests.versions.worker", pair.package]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        worker.stdin.write(requests)
        worker.stdin.close()
        for count, line in enumerate(worker.stdout, 1):
            done = json.loads(line)
            page = chosen[done["name"]]
            found = _verdicts(page, done["results"])
            entry = record["pages"].setdefault(page.name, {})
            entry[pair.name] = [fingerprint(page), found]
            save(record)
            said = ", ".join(f"{n} {v[0]}" for n, v in found.items()) or "the same"
            print(f"{pair.name} {count}/{len(chosen)} {page.name}: {said}", flush=True)
    if worker.returncode or count < len(chosen):
        raise SystemExit(f"{pair.name}: the run ended early; run it again to go on")


def tidy() -> None:
    """Forget pages and pairs that there are no more."""
    record, now = load(), everyday_pages()
    known = environments.OTHERS
    record["pages"] = {
        name: {pair: runs for pair, runs in entry.items() if pair in known}
        for name, entry in record["pages"].items()
        if name in now
    }
    record["pairs"] = {n: told for n, told in record["pairs"].items() if n in known}
    save(record)


def main(wanted: list[str], again: bool, only: list[str]) -> None:
    """Run what is out of date, or all, on pairs named, or on all of them."""
    known = environments.OTHERS
    if unknown := [name for name in wanted if name not in known]:
        sys.exit(f"no such pair: {unknown}; there are {', '.join(known)}")
    assert version("keras") == environments.TODAY.keras, "environments.TODAY is not it"
    for name in wanted or known:
        pair = known[name]
        names = list(everyday_pages()) if again else stale(load(), pair)
        run(pair, [page for page in names if not only or page in only])
    tidy()
