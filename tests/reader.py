"""Run each built page as a reader would: pasted, top to bottom, into one script.

`make reader` runs this in an environment that holds the libraries the pages name and
nothing else. It starts a fresh interpreter for each page, which takes ten times as
long as the everyday tests, and is therefore not one of them.
"""

import subprocess

import pytest

from tests.pages import NOT_RUN
from tests.test_site import ALL_PAGES, ROOT, shown_in_html, shown_in_source

PYTHON = ROOT / ".venv" / "reader" / "bin" / "python"


@pytest.mark.parametrize("name", ALL_PAGES)
def test_a_built_page_runs_as_one_script(site, name, tmp_path):
    shown = shown_in_html(site, name)
    blocks = [text for title, text in shown if not title.startswith(NOT_RUN)]
    script = tmp_path / "pasted.py"
    script.write_text("\n".join(blocks), "utf-8")
    folder = tmp_path / "empty"
    folder.mkdir()
    run = subprocess.run(
        [PYTHON, script], cwd=folder, capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, f"{name}:\n{run.stderr[-2000:]}"
    if name.endswith(".md"):
        outputs = [block.output or "" for block in shown_in_source(name)]
        assert run.stdout == "".join(outputs), f"{name} prints something else"
