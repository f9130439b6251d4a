"""The pytest plugin that runs the pages of the site.

Every Markdown file below ``docs/`` is one test: its Python blocks run in order, in
one namespace, as ``__main__``, in an empty folder, and what they print is compared
with the output that the page shows. A page that links to a tool file, such as
``bn_tools.py``, finds it in that folder, as its readers do. A block whose fence has the
title ``<name>.py`` is a script of its own and runs in a new process in the same folder.
One with the title ``<name>.py, Keras <version>`` belongs to that version: see
`tests.versions.scripts`.
"""

import difflib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests import pages, runner
from tests.figures import svg_difference
from tests.versions import scripts

OUTPUT = "<!--pytest-codeblocks:expected-output-->"
"""The comment that marks the next fence as the output of the block above it."""

EVERYDAY = "not session"
"""The marker expression that pyproject.toml sets, for all but the other sessions."""

HINT = "If the new output is right: make outputs"


@dataclass
class Counts:
    """How many Python blocks were shown, left to other sessions, run and compared."""

    shown: int = 0
    elsewhere: int = 0
    not_run: int = 0
    ran: int = 0
    compared: int = 0


counts = pytest.StashKey[Counts]()


def pytest_addoption(parser):
    """Add the option that rewrites outputs."""
    parser.addoption(
        "--update-outputs",
        action="store_true",
        help="write what the blocks print into the pages instead of comparing",
    )
    parser.addoption(
        "--other-versions",
        action="store_true",
        help="run the scripts for other versions, instead of taking what they left",
    )


def pytest_configure(config):
    """Start counting, and keep the libraries quiet."""
    config.stash[counts] = Counts()
    runner.quiet()


def pytest_collect_file(file_path: Path, parent):
    """Collect the Markdown files of the site."""
    docs = parent.config.rootpath / "docs"
    if file_path.suffix == ".md" and file_path.is_relative_to(docs):
        return PageFile.from_parent(parent, path=file_path)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """Add what a worker process of pytest-xdist has counted."""
    total = node.config.stash[counts]
    for name, count in getattr(node, "workeroutput", {}).get("blocks", {}).items():
        setattr(total, name, getattr(total, name) + count)


def pytest_sessionfinish(session):
    """Fail a whole run in which fewer blocks ran than the site shows."""
    config, total = session.config, session.config.stash[counts]
    if hasattr(config, "workeroutput"):
        config.workeroutput["blocks"] = asdict(total)
        return
    everything = config.args_source is config.ArgsSource.TESTPATHS
    whole = everything and not config.option.keyword
    whole = whole and config.option.markexpr == EVERYDAY
    accounted = total.ran + total.not_run + total.elsewhere
    if whole and total.shown != accounted and not session.testsfailed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config):
    """Say at the very end how much of the site was run."""
    total = config.stash[counts]
    if total == Counts() or hasattr(config, "workeroutput"):
        return
    built = (
        f"{total.shown} shown on the built site" if total.shown else "site not built"
    )
    print(
        f"Python blocks: {built}, {total.ran} ran, "
        f"{total.not_run} with a reason why not, {total.elsewhere} run by make long, "
        f"make backends and make ship; {total.compared} outputs compared"
    )


class PageFile(pytest.File):
    """A Markdown file of the site."""

    def collect(self):
        page = pages.read(self.path, self.config.rootpath)
        if page.blocks:
            yield PageItem.from_parent(self, name="page", page=page)

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, pages.PageError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class PageFailure(Exception):
    """A block failed, or printed something else than the page shows."""


class PageItem(pytest.Item):
    """All blocks of one page, as one script."""

    def __init__(self, *, page: pages.Page, **kwargs):
        super().__init__(**kwargs)
        self.page = page
        if page.session:
            self.add_marker("session")

    def runtest(self):
        total = self.config.stash[counts]
        total.not_run += sum(block.reason is not None for block in self.page.blocks)
        with tempfile.TemporaryDirectory(prefix="page-") as name:
            folder = Path(name)
            for file in self.page.tools:
                shutil.copy(self.config.rootpath / file, folder)
            foreign = scripts.execute
            if not self.config.getoption("other_versions"):
                foreign = scripts.replay
            outputs = run(self.page, folder, total, foreign)
            if self.config.getoption("update_outputs"):
                update(self.path, outputs)
                for figure in self.page.figures:
                    _adopt(figure, self.path.parent, folder)
                return
            total.compared += sum(block.output is not None for block, _ in outputs)
            total.compared += len(self.page.figures)
            differences = [_difference(*pair) for pair in outputs]
            for figure in self.page.figures:
                problem = _figure_difference(figure, self.path.parent, folder)
                differences.append(problem and f"{self.page.name}: {problem}")
        if any(differences):
            raise PageFailure("\n".join(filter(None, differences)))

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, PageFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, None, self.page.name


def run(
    page: pages.Page, folder: Path, total: Counts, foreign: Callable
) -> list[tuple[pages.Block, str]]:
    """Run the blocks of a page and return what each of them printed.

    Args:
        page: The page.
        folder: The empty folder to run in.
        total: Where to count the blocks that ran.
        foreign: What runs a script of another version: `scripts.execute`, or
            `scripts.replay`.

    Raises:
        PageFailure: A block raised an exception. The message names the line of the
            snippet, or of the page, where that happened.
    """
    outputs = []
    fresh = page.beyond_tensorflow
    with runner.Script(folder, fresh) as script:
        for block in page.blocks:
            if block.reason is not None:
                continue
            if block.version is not None:
                result = foreign(page, block, folder)
            elif block.script is None:
                result = script.run(block.code, block.line + 1)
            else:
                with runner.Script(folder, fresh) as own:
                    result = own.run(block.code, block.line + 1)
            total.ran += 1
            if result.error is not None:
                raise PageFailure(_failure(page, block, result))
            outputs.append((block, result.output))
    return outputs


def _failure(page: pages.Page, block: pages.Block, result: runner.Result) -> str:
    numbers = result.error_lines or (block.line + 1,)
    calls = [f"{page.origin(n)}: {page.lines[n - 1].strip()}" for n in numbers]
    return "\n".join(
        [
            f"{page.origin(numbers[-1])}: {result.error}",
            f"in the block at {block.where}, called through",
            *(f"    {call}" for call in calls),
            *(
                ["what the block printed before:", result.output]
                if result.output
                else []
            ),
        ]
    )


def _difference(block: pages.Block, printed: str) -> str | None:
    if printed == (block.output or ""):
        return None
    if block.output is None:
        problem = "the block prints, but the page shows no output"
    else:
        problem = "the output shown is not what the block prints"
    lines = difflib.unified_diff(
        (block.output or "").splitlines(),
        printed.splitlines(),
        "shown",
        "printed",
        lineterm="",
    )
    return "\n".join([f"{block.where}: {problem}", *lines, HINT])


def _figure_difference(name: str, shown: Path, drawn: Path) -> str | None:
    for folder, problem in {
        drawn: "is shown as a plot, but no block writes it",
        shown: f"is written by a block, but not there to be shown. {HINT}",
    }.items():
        if not (folder / name).is_file():
            return f"{name} {problem}"
    difference = svg_difference(
        (shown / name).read_text("utf-8"), (drawn / name).read_text("utf-8")
    )
    return difference and f"{name}: {difference}\n{HINT}"


def _adopt(name: str, shown: Path, drawn: Path) -> None:
    """Show the new figure, unless the old one is as good."""
    if (drawn / name).is_file() and _figure_difference(name, shown, drawn):
        (shown / name).write_bytes((drawn / name).read_bytes())


def update(path: Path, outputs: list[tuple[pages.Block, str]]) -> None:
    """Write what the blocks printed into the page, below each of them.

    Args:
        path: The page. It is replaced as a whole, or not at all.
        outputs: Each block with what it printed.
    """
    lines = path.read_text("utf-8").split("\n")
    for block, printed in reversed(outputs):
        if printed == (block.output or ""):
            continue
        indent = lines[block.end - 1].removesuffix(lines[block.end - 1].lstrip())
        new = [indent + line if line else "" for line in printed.splitlines()]
        if block.output_lines is not None:
            first, last = block.output_lines
            lines[first - 1 : last] = new
        else:
            new = ["", indent + OUTPUT, indent + "```text", *new, indent + "```"]
            lines[block.end : block.end] = new
    temporary = path.with_suffix(".new")
    temporary.write_text("\n".join(lines), "utf-8")
    temporary.replace(path)
