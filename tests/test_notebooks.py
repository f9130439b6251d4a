"""Every notebook below ``docs/`` runs in an empty folder and gives what it shows.

Text must be the same, figures must be the same up to `figures.TOLERANCE`. With
``--update-outputs`` the fresh outputs are written into the notebook instead.
"""

import ast
import difflib
import os
import re
from itertools import zip_longest
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError

from tests.codeblocks import counts
from tests.figures import svg_difference

ROOT = Path(__file__).parents[1]
# The rest of how figures look is in matplotlibrc. What TensorFlow's C++ code logs
# stays out of the outputs.
KERNEL = [
    "--InlineBackend.figure_formats=['svg']",
    "--InlineBackend.print_figure_kwargs={'bbox_inches': None}",
    "--IPKernelApp.capture_fd_output=False",
]
WRONG = {"error", "stderr"}
SVG = "image/svg+xml"

notebooks = pytest.mark.parametrize(
    "path", sorted(ROOT.glob("docs/**/*.ipynb")), ids=lambda p: str(p.relative_to(ROOT))
)


def code_cells(path, notebook):
    """Yield each code cell with its number and its name in messages."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        yield number, cell, f"{path.relative_to(ROOT)}, code cell {number} ({cell.id})"


def run(path, folder):
    """Return the notebook with fresh outputs."""
    notebook = nbformat.read(path, as_version=4)
    options = {"kernel_name": "python3", "extra_arguments": KERNEL, "timeout": 300}
    options |= {"force_raise_errors": True, "record_timing": False}
    options |= {"coalesce_streams": True, "resources": {"metadata": {"path": folder}}}
    client = NotebookClient(notebook, **options)
    client.reset_execution_trackers()
    with client.setup_kernel(env=os.environ | {"IPYTHONDIR": f"{folder}-ipython"}):
        for number, cell, name in code_cells(path, notebook):
            try:
                client.execute_cell(cell, notebook.cells.index(cell), number)
                wrong = [
                    o for o in cell.outputs if o.get("name", o.output_type) in WRONG
                ]
                problem = "\n".join(o.get("text", o.get("evalue")) for o in wrong)
            except (CellControlSignal, DeadKernelError) as error:
                problem = re.sub(r"\x1b\[[\d;]*m", "", str(error)).rstrip()
            if problem:
                end = "\n".join(problem.splitlines()[-15:])
                pytest.fail(f"{name} failed or wrote to stderr:\n{end}", pytrace=False)
    return notebook


def differences(old, new):
    """Yield how the outputs differ; in `new`, keep the figures that do not."""
    for shown, fresh in zip_longest(old.outputs, new.outputs):
        if (before := lines(shown)) != (after := lines(fresh)):
            yield from difflib.unified_diff(before, after, "shown", "new", lineterm="")
        elif SVG in shown.get("data", {}):
            if problem := svg_difference(shown.data[SVG], fresh.data[SVG]):
                yield problem
            else:
                fresh.data[SVG] = shown.data[SVG]


def lines(output):
    """Return an output as lines, with a placeholder for a figure."""
    if output is None:
        return ["no output"]
    data = {"text": output.text} if "text" in output else output.get("data", {})
    values = [f"{key}: {'figure' if key == SVG else data[key]}" for key in sorted(data)]
    return [output.output_type, *"\n".join(values).split("\n")]


@notebooks
def test_outputs(path, tmp_path, request):
    total = request.config.stash[counts]
    (folder := tmp_path / "empty").mkdir()
    notebook, fresh = nbformat.read(path, as_version=4), run(path, str(folder))
    cells = zip(code_cells(path, notebook), code_cells(path, fresh), strict=True)
    update, problems = request.config.getoption("update_outputs"), []
    for (number, old, name), (_, new, _) in cells:
        total.ran += 1
        total.compared += bool(old.outputs) and not update
        if found := list(differences(old, new)):
            problems.append("\n".join([f"{name}:", *found]))
            old.outputs = new.outputs
        old.execution_count = number
    text = nbformat.writes(notebook) + "\n"
    if update and text != path.read_text("utf-8"):
        temporary = path.with_suffix(".new")
        temporary.write_text(text, "utf-8")
        temporary.replace(path)
    elif problems and not update:
        problems.append("If the new outputs are right: make outputs")
        pytest.fail("\n\n".join(problems), pytrace=False)


@notebooks
def test_source(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for number, cell, name in code_cells(path, notebook):
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            pytest.fail(f"{name}: not plain Python: {error}", pytrace=False)
        assert "get_ipython" not in cell.source, f"{name}: needs IPython"
        assert cell.execution_count == number, f"{name}: execution count"
        figure = any(SVG in output.get("data", {}) for output in cell.outputs)
        assert figure == bool(cell.metadata.get("alt")), f"{name}: 'alt' or no figure"
