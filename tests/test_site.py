"""What the source of every page keeps to, so that all it shows can be run."""

import ast
import functools
import posixpath
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from markdown import Markdown
from mkdocs.config import load_config

from tests import pages

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").rglob("*.md"))
NOTEBOOKS = sorted((ROOT / "docs").rglob("*.ipynb"))
SNIPPETS = sorted(p for p in (ROOT / "snippets").rglob("*.py") if p.stem != "__init__")
ALL_PAGES = [p.relative_to(ROOT).as_posix() for p in DOCS + NOTEBOOKS]

TOOLS = pages.TOOLS
TOOL_FILES = {Path(file).name: file for file in TOOLS}
DISTRIBUTIONS = packages_distributions()

page_of = pytest.mark.parametrize(
    "name", [p.relative_to(ROOT).as_posix() for p in DOCS]
)


def snippet_of(name: str) -> str:
    """Return the snippet file that belongs to a page."""
    path = Path(name).relative_to("docs").with_suffix(".py")
    return Path("snippets", path).as_posix().replace("-", "_")


def sections(file: str) -> list[str]:
    """Return the names of the sections of a snippet file, in its order."""
    return re.findall(r"\[start:([\w-]+)\]", (ROOT / file).read_text("utf-8"))


@functools.cache
def read_page(name: str) -> pages.Page:
    """Return a page, expanded; the tests here do not change it."""
    return pages.read(ROOT / name, ROOT)


def shown_in_source(name: str) -> list[pages.Block]:
    """Return the blocks of a page or a notebook, as the tests run them."""
    path = ROOT / name
    if path.suffix == ".md":
        return read_page(name).blocks
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [pages.Block(cell.source, 0, name, 0) for cell in cells]


def python_blocks(article, name: str) -> list[tuple[str, str]]:
    """Return title and text of each Python block in it, the folded ones included."""
    found = []
    for code in article.select("pre > code"):
        block = code.find_parent(class_="highlight")
        classes = block["class"] if block else []
        languages = [c for c in classes if c.startswith("language-")]
        language = languages[0].removeprefix("language-") if languages else ""
        if language in pages.PYTHON:
            title = block.find(class_="filename")
            found.append((title.text if title else "", code.text))
        else:
            assert language in pages.OTHER_LANGUAGES, (
                f"{name}: a block of language {language!r} is shown: {code.text[:60]!r}"
            )
    return found


FOLDED = """\
# A page

??? example "Set-up"

    Text.

    ```python hl_lines="1"
    x = 1


    if x:
        print(x)
    ```

    <!--pytest-codeblocks:expected-output-->
    ```text
    1
    ```

    ???+ check "In a process that did not save"

        ```python title="reload.py"
        print("reloaded")

        print("done")
        ```

        <!--pytest-codeblocks:expected-output-->
        ```text
        reloaded

        done
        ```

```python
print(x)
```

<!--pytest-codeblocks:expected-output-->
```text
1
```
"""


def test_folded_blocks_are_seen_as_others_are(tmp_path):
    config = load_config(str(ROOT / "mkdocs.yml"))
    markdown = Markdown(
        extensions=config.markdown_extensions, extension_configs=config.mdx_configs
    )
    text = config.plugins.on_page_markdown(FOLDED, page=None, config=config, files=[])
    article = BeautifulSoup(markdown.convert(text), "html.parser")
    assert len(article.select("details .highlight")) == 4
    (tmp_path / "mkdocs.yml").write_text((ROOT / "mkdocs.yml").read_text("utf-8"))
    (tmp_path / "page.md").write_text(FOLDED)
    blocks = pages.read(tmp_path / "page.md", tmp_path).blocks
    assert python_blocks(article, "page.md") == [
        (block.script or "", block.code) for block in blocks
    ]
    outputs = [code.text for code in article.select(".language-text pre > code")]
    assert outputs == [block.output for block in blocks]
    # Right below each other, so that site.css joins them into one box.
    joined = article.select(".language-python.highlight + .language-text.highlight")
    assert len(joined) == len(blocks)


# What fits into the box of an output, with room for wider fonts.
COLUMNS = 77
MESSAGE = re.compile(r"\b([A-Z]\w*(Error|Exception|Warning)|WARNING)\b")


def too_wide(output: str) -> list[int]:
    """Return the numbers of lines, from 1, that lose their columns in the box.

    The message of an error or a warning may be longer: it is text, and wraps as text.
    """
    found, in_message = [], False
    for number, line in enumerate(output.splitlines(), 1):
        in_message = in_message or MESSAGE.search(line) is not None
        text = in_message and re.search(r"\S {2,}\S", line) is None
        if len(line) > COLUMNS and not text:
            found.append(number)
    return found


def test_columns_are_told_from_messages():
    cells = "a" + 30 * " " + "b" + 50 * " " + "c"
    message = "ValueError: " + 30 * "word "
    rest = f"and {message.lower()}"
    assert too_wide(f"{message}\n{rest}") == []
    assert too_wide(f"{cells}\n{rest}\n{message}\n{cells}") == [1, 2, 4]


@page_of
def test_outputs_fit_into_their_boxes(name):
    page = read_page(name)
    lines = [
        f"{name}:{block.output_lines[0] + number - 1}"
        for block in page.blocks
        for number in too_wide(block.output or "")
    ]
    assert not lines, f"more than {COLUMNS} columns wide: {', '.join(lines)}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_outputs_of_notebooks_fit_into_their_boxes(path):
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        for output in cell.get("outputs", []):
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            drawn = set(output.get("data", {})) - {"text/plain"}
            assert drawn or not too_wide(text), (
                f"{path.name}: cell {number} prints more than {COLUMNS} columns: {text}"
            )


@page_of
def test_a_page_shows_its_snippet_file_whole_and_in_order(name):
    file = snippet_of(name)
    page = read_page(name)
    if not page.blocks:
        return
    source = (ROOT / name).read_text("utf-8")
    first = list(dict.fromkeys(re.findall(rf'--8<-- "{file}:([\w-]+)"', source)))
    assert first == sections(file), (
        f"{name}: its includes are not the sections of {file}, each, in order"
    )


@page_of
def test_no_code_is_typed_in_a_page(name):
    file = snippet_of(name)
    page = read_page(name)
    for block in page.blocks:
        for number in range(block.line + 1, block.line + 1 + block.code.count("\n")):
            line = page.lines[number - 1]
            source = TOOL_FILES.get(block.script, file)
            assert not line.strip() or line.origin[0] == source, (
                f"{page.origin(number)}: code in this block comes from {source} only"
            )


@page_of
def test_highlighted_lines_hold_code(name):
    page = read_page(name)
    for block in page.blocks:
        marked = re.search(r'hl_lines="([\d -]+)"', page.lines[block.line - 1])
        lines = block.code.split("\n")
        for part in marked[1].split() if marked else []:
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                assert lines[number - 1 : number] and lines[number - 1].strip(), (
                    f"{block.where}: line {number} is highlighted, but empty"
                )


@page_of
def test_a_script_of_its_own_is_named_after_its_section(name):
    page = read_page(name)
    for block in page.blocks:
        if block.script is not None:
            end = block.line + block.code.rstrip("\n").count("\n") + 1
            origin, number = page.lines[end - 1].origin
            lines = (ROOT / origin).read_text("utf-8").splitlines()[:number]
            starts = re.findall(r"\[start:([\w-]+)\]", "\n".join(lines))
            section = Path(origin).stem if origin in TOOLS else starts[-1]
            assert block.script == f"{section}.py", (
                f"{block.where}: the title is {block.script!r}, the section {section!r}"
            )


def statements(code: str) -> list[ast.stmt]:
    """Return the statements of code, without what functions and classes do inside."""
    inner = (ast.FunctionDef, ast.ClassDef)
    return [node for node in ast.parse(code).body if not isinstance(node, inner)]


def names(nodes: list[ast.stmt], context: type[ast.expr_context]) -> set[str]:
    """Return the variables that statements assign (`Store`) or read (`Load`)."""
    found = (n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name))
    return {name.id for name in found if isinstance(name.ctx, context)}


@page_of
def test_a_page_still_runs_when_all_of_it_is_pasted_into_one_script(name):
    page = read_page(name)
    blocks = [block for block in page.blocks if block.reason is None]
    for i, block in enumerate(blocks):
        if block.script is None:
            continue
        earlier = [node for b in blocks[:i] for node in statements(b.code)]
        # A section that is included once more only does again what it did.
        lines = (
            b.line + n for b in blocks[:i] for n in range(1, b.code.count("\n") + 1)
        )
        known = {page.origin(line) for line in lines}
        own = [
            node
            for node in statements(block.code)
            if page.origin(block.line + node.lineno) not in known
        ]
        changed = names(own, ast.Store) & names(earlier, ast.Store)
        for later in blocks[i + 1 :]:
            nodes = statements(later.code)
            read = names(nodes, ast.Load) - names(nodes, ast.Store)
            assert not changed & read, (
                f"{block.where}: {block.script} assigns {sorted(changed & read)}, "
                f"which the page's own script goes on to use at {later.where}"
            )
            changed -= names(nodes, ast.Store)


def test_every_snippet_file_has_a_page():
    known = {snippet_of(p.relative_to(ROOT).as_posix()) for p in DOCS}
    files = {p.relative_to(ROOT).as_posix() for p in SNIPPETS}
    assert files <= known, f"no page shows {sorted(files - known)}"


def imported(code: str) -> set[str]:
    """Return the names of the modules that code imports."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("name", ALL_PAGES)
def test_a_page_names_the_libraries_it_needs(name):
    # Where a converter has an environment of its own, the page says how to make it.
    blocks = [
        block
        for block in shown_in_source(name)
        if not (block.version or "").startswith("tensorflowjs")
    ]
    needed = set().union(*(imported(block.code) for block in blocks))
    for file in reversed(TOOLS):  # a later one may import an earlier one
        if Path(file).stem in needed:
            link = posixpath.relpath(file, posixpath.dirname(name))
            assert f"]({link})" in (ROOT / name).read_text("utf-8"), (
                f"{name}: no link ]({link}) below its pip install line offers the file"
            )
            needed = needed - {Path(file).stem} | imported(
                (ROOT / file).read_text("utf-8")
            )
    # A module that is not installed here is called like its library.
    needed = {
        DISTRIBUTIONS.get(m, [m])[0].replace("_", "-")
        for m in needed - set(sys.stdlib_module_names)
    }
    brought_along = {"keras", "numpy", "h5py"}
    if needed & brought_along:
        needed = needed - brought_along | {"tensorflow"}
    install = re.search(r"pip install ([^\n`\"\\]+)", (ROOT / name).read_text("utf-8"))
    named = set(install[1].replace("_", "-").split()) if install else set()
    assert needed <= named, f"{name}: pip install does not name {needed - named}"


def test_the_files_for_readers_need_nothing_but_keras_and_numpy():
    files = [file for file in TOOLS if file != "docs/tfjs_browser.py"]
    needed = set().union(*(imported((ROOT / f).read_text("utf-8")) for f in files))
    own = {Path(file).stem for file in TOOLS}
    assert needed - set(sys.stdlib_module_names) - own <= {"keras", "numpy"}


def test_the_site_names_the_versions_that_ran():
    configured = (ROOT / "mkdocs.yml").read_text("utf-8")
    for group in ["test", "reader", "backends", "ship"]:
        lock = (ROOT / ".lock" / f"{group}.txt").read_text("utf-8")
        for library, package in {"TensorFlow": "tensorflow", "Keras": "keras"}.items():
            version = re.search(rf"^{package}==([\d.]+)", lock, re.MULTILINE)[1]
            assert f"{library} {version}" in configured, (
                f"mkdocs.yml: 'copyright' does not say {library} {version} of {group}"
            )


def test_the_lock_files_pin_everything_and_name_no_address():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for group in ["site", "reader", "test", "backends", "torch", "ship", "uv"]:
        lock = (ROOT / ".lock" / f"{group}.txt").read_text("utf-8")
        pinned = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
        listed = project["dependency-groups"][group]
        wanted = {p.partition("==")[0] for p in listed if isinstance(p, str)}
        assert wanted <= pinned, f"run make lock: {wanted - pinned} is not pinned"
        assert "://" not in lock
    site = (ROOT / ".lock" / "site.txt").read_text("utf-8")
    assert "tensorflow==" not in site


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--quiet", "."],
        ["ruff", "format", "--quiet", "--diff", "."],
        ["zizmor", "--offline", "--quiet", ".github"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_linters(command):
    if command[0] == "check-jsonschema":
        command = [*command, *map(str, (ROOT / ".github" / "workflows").glob("*.yml"))]
    program = Path(sys.executable).with_name(command[0])
    run = subprocess.run(
        [program, *command[1:]], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
