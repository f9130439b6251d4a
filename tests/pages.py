"""Read a page the way the site does and list the code blocks that a reader sees.

The expansion of includes is left to ``pymdownx.snippets``, the extension that
builds the site; finding the fences is left to ``pytest_codeblocks``. What is added
here is where each line came from, and the refusal of everything that would let a
block be shown without being run.
"""

import io
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from markdown import Markdown
from mkdocs.utils import meta
from mkdocs.utils.yaml import yaml_load
from pymdownx.snippets import (
    SnippetExtension,
    SnippetMissingError,
    SnippetPreprocessor,
)
from pytest_codeblocks import extract_from_buffer

from tests import sources

PYTHON = {"python", "python3", "py"}
OTHER_LANGUAGES = {"bash", "console", "html", "json", "text", "toml", "yaml"}
NOT_RUN = "Not run here: "
TOOLS = (
    "docs/bn_tools.py",
    "docs/bn_diagnosis.py",
    "docs/bn_evidence.py",
    "docs/diagnose.py",
    "docs/tfjs_browser.py",
)
"""The files that pages offer for download and import from."""

_COMMENT = re.compile(r"<!--[-\s]*(pytest-codeblocks:|pytest\.mark\.)(.*?)[-\s]*-->")
_LANGUAGE = re.compile(r"(?:\{\s*\.)?([\w+-]+)")
_DOWNLOAD = re.compile(r"\]\((?:\.\./)*((?:bn_\w+|diagnose|tfjs_browser)\.py)\)")
_PLOT = re.compile(r"!\[[^\]]*\]\(([\w.-]+\.svg)\)\{ *\.plot")
_TITLE = re.compile(r"""title=(["'])(.*?)\1""")
_SCRIPT = re.compile(
    r"([\w-]+\.py)(?:, ((?:Keras|tf_keras|tensorflowjs|TensorFlow) [\d.]+))?"
)

_PADDING = " " * 80
_BLANK = re.compile(r"^ +$", re.MULTILINE)


class PageError(Exception):
    """Something on a page that has to be put right before the page can be tested."""


class Line(str):
    """A line of an expanded page that remembers its origin.

    ``pymdownx.snippets`` indents an included line with ``indent + line``; the
    reflected addition keeps the origin through that.
    """

    origin: tuple[str, int]

    def __new__(cls, text: str, origin: tuple[str, int]):
        self = super().__new__(cls, text)
        self.origin = origin
        return self

    def __radd__(self, indent: str) -> "Line":
        return Line(str(indent) + str(self), self.origin)


class _Preprocessor(SnippetPreprocessor):
    """The site's own include preprocessor, reading files as `Line` objects."""

    root = Path()

    def read_lines(self, path):
        name = Path(path).relative_to(self.root).as_posix()
        return _number(super().read_lines(path), name)

    def dedent(self, lines):
        return [
            Line(text, line.origin)
            for text, line in zip(super().dedent(lines), lines, strict=True)
        ]


def _number(lines, name: str, first: int = 1) -> list[Line]:
    return [Line(text, (name, n)) for n, text in enumerate(lines, first)]


@dataclass
class Block:
    """A Python block of a page.

    Attributes:
        code: The text between the fences, as the reader copies it.
        line: Number of the opening fence in the expanded page, from 1.
        where: ``file:line`` of the opening fence in the page itself.
        end: Number of the closing fence's line in the page's file, from 1.
        script: Name of the script that the block is, taken from the fence's title;
            ``None`` for a block that belongs to the page's own script.
        version: Another version that the script belongs to, such as ``Keras 2.15.0``;
            ``None`` for what runs on the installed one.
        reason: Why the block is shown without being run; ``None`` if it is run.
        output: The output shown below the block; ``None`` if none is shown.
        output_lines: Numbers of the first and the last line of that output in the
            page's file (the last is smaller if the output is empty).
    """

    code: str
    line: int
    where: str
    end: int
    script: str | None = None
    version: str | None = None
    reason: str | None = None
    output: str | None = None
    output_lines: tuple[int, int] | None = None


@dataclass
class Page:
    """A page, expanded.

    Attributes:
        name: Path of the page, relative to the project.
        lines: The expanded lines, each with its origin.
        blocks: The Python blocks, in the order of the page.
        session: Name of the test session that the page is left to, as it takes long or
            needs libraries that the everyday tests lack; ``None`` for most pages.
        figures: Names of the plots that the page shows and its blocks write.
        tools: The tool files that the page offers, which its readers then have next to
            their script.
    """

    name: str
    lines: list[Line]
    blocks: list[Block] = field(default_factory=list)
    session: str | None = None
    figures: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)

    @property
    def beyond_tensorflow(self) -> bool:
        """Whether the page needs an environment with more than TensorFlow."""
        return self.session not in (None, "long")

    def origin(self, number: int) -> str:
        """Return ``file:line`` of an expanded line.

        Args:
            number: Number of the line in the expanded page, from 1.
        """
        return "{}:{}".format(*self.lines[number - 1].origin)


@cache
def snippet_options(root: Path) -> dict:
    """Return the site's options of ``pymdownx.snippets`` from ``mkdocs.yml``."""
    with open(root / "mkdocs.yml", "rb") as file:
        loaded = yaml_load(file)
    for extension in loaded["markdown_extensions"]:
        if isinstance(extension, dict) and "pymdownx.snippets" in extension:
            return dict(extension["pymdownx.snippets"])
    raise PageError("mkdocs.yml: pymdownx.snippets is not configured")


def read(path: Path, root: Path) -> Page:
    """Expand a page and find its Python blocks.

    Args:
        path: The Markdown file.
        root: The project's folder, which holds ``mkdocs.yml``.

    Raises:
        PageError: An include leads nowhere, or the page holds a fence that a reader
            would see and the tests would not run. The message names the line.
    """
    name = path.relative_to(root).as_posix()
    text = path.read_text("utf-8")
    body, front_matter = meta.get_data(text)
    first = text.count("\n") - body.count("\n") + 1
    source = _number(body.split("\n"), name, first)
    page = Page(name, _expand(source, root))
    page.session = front_matter.get("session")
    page.blocks = _blocks(page)
    page.figures = _PLOT.findall("\n".join(page.lines))
    offered = set(_DOWNLOAD.findall(body))
    page.tools = [file for file in TOOLS if Path(file).name in offered]
    return page


def ingredients(page: Page, root: Path) -> list[str]:
    """Return what a run of a page depends on: code, outputs, tools; no prose.

    Of the files that it offers for download, what its blocks use counts.
    """
    parts = [part for b in page.blocks for part in (str(b.version), b.code, b.output)]
    texts = [(root / file).read_text("utf-8") for file in page.tools]
    if texts:
        modules = {Path(file).stem for file in page.tools}
        names = [sources.imported(block.code, modules) for block in page.blocks]
        if None not in names:
            texts = sources.needed(sorted(set().union(*names)), texts).values()
    return [part or "" for part in (*parts, *texts)]


def _expand(source: list[Line], root: Path) -> list[Line]:
    options = snippet_options(root)
    folders = [str(root / base) for base in options["base_path"]]
    config = SnippetExtension(**options | {"base_path": folders}).getConfigs()
    preprocessor = _Preprocessor(config, Markdown())
    preprocessor.root = root
    try:
        expanded = preprocessor.run(list(source))
    except SnippetMissingError as error:
        raise PageError(f"{_culprit(source, preprocessor)}: {error}") from error
    # An escaped include is the one line that the preprocessor writes anew.
    return [
        line if isinstance(line, Line) else Line(line, source[0].origin)
        for line in expanded
    ]


def _culprit(source: list[Line], preprocessor: _Preprocessor) -> str:
    """Find the include that cannot be expanded, for the message."""
    for line in source:
        if preprocessor.RE_ALL_SNIPPETS.match(line):
            try:
                preprocessor.run([line])
            except SnippetMissingError:
                return "{}:{}".format(*line.origin)
    return source[0].origin[0]


def _blocks(page: Page) -> list[Block]:
    for line in page.lines:
        comment = _COMMENT.search(line)
        if comment and (
            comment[1] != "pytest-codeblocks:" or comment[2] != "expected-output"
        ):
            raise PageError(
                "{}:{}: '{}' has no place on a page: all blocks run, in order, as one "
                "script. To show a block that cannot be run, give its fence the title "
                '"{}<reason>".'.format(*line.origin, comment[0], NOT_RUN)
            )
        if re.match(r"[\s>]*~~~|\s*>[\s>]*```", line):
            raise PageError(
                "{}:{}: write fences with backticks and outside quotations, other "
                "spellings are not found by the tests".format(*line.origin)
            )
    try:
        # Padded, because the extraction drops the empty lines of indented fences.
        text = "\n".join(line if line.strip() else _PADDING for line in page.lines)
        extracted = extract_from_buffer(io.StringIO(text + "\n"))
    except RuntimeError as error:
        raise PageError(f"{page.name}: {error}") from error
    blocks = []
    for block in extracted:
        where = page.origin(block.lineno)
        language = _language(block.syntax, where)
        if language not in PYTHON:
            if block.expected_output is not None:
                raise PageError(
                    f"{where}: an expected output belongs right below a Python block"
                )
            continue
        code = _BLANK.sub("", block.code)
        end = block.lineno + code.count("\n") + 1
        found = Block(code, block.lineno, where, end=page.lines[end - 1].origin[1])
        found.script, found.version, found.reason = _title(block.syntax, where)
        if block.expected_output is not None:
            found.output = _BLANK.sub("", block.expected_output)
            found.output_lines = _locate_output(page, end)
        blocks.append(found)
    return blocks


def _locate_output(page: Page, end: int) -> tuple[int, int]:
    """Find where in the page's file the output below a block stands."""
    texts = [line.strip() for line in page.lines]
    comment = next(n for n in range(end, len(texts)) if _COMMENT.match(texts[n]))
    fences = [n for n in range(comment, len(texts)) if texts[n].startswith("```")]
    opening, closing = (page.lines[n].origin[1] for n in fences[:2])
    return opening + 1, closing - 1


def _language(info: str, where: str) -> str:
    match = _LANGUAGE.match(info.strip())
    language = match[1].lower() if match else ""
    if language not in PYTHON | OTHER_LANGUAGES:
        allowed = ", ".join(["python", *sorted(OTHER_LANGUAGES)])
        raise PageError(
            f"{where}: fence of language {language!r}; use one of {allowed}"
        )
    return language


def _title(info: str, where: str) -> tuple[str | None, str | None, str | None]:
    match = _TITLE.search(info)
    if match is None:
        return None, None, None
    title = match[2]
    if script := _SCRIPT.fullmatch(title):
        return script[1], script[2], None
    if title.startswith(NOT_RUN) and title != NOT_RUN:
        return None, None, title.removeprefix(NOT_RUN)
    raise PageError(
        f'{where}: a title is either the name of a script of its own ("reload.py"), '
        'which runs in a new process, or that of one for another version ("write.py, '
        f'Keras 2.15.0"), or "{NOT_RUN}<reason>"; got {title!r}'
    )
