"""Run each built page as a reader would: pasted, top to bottom, into one script.

`make reader` runs this in an environment that holds the libraries the pages name and
nothing else. It starts a fresh interpreter for each page, which takes ten times as
long as the everyday tests, and is therefore not one of them.
"""

import shutil
import subprocess

import pytest

from tests.pages import NOT_RUN, read
from tests.test_built import shown_in_html
from tests.test_site import ALL_PAGES, ROOT, shown_in_source

PYTHON = ROOT / ".venv" / "reader" / "bin" / "python"


# One script cannot be several backends; those pages always run in fresh interpreters.
PAGES = [
    name
    for name in ALL_PAGES
    if shown_in_source(name)
    and not (name.endswith(".md") and read(ROOT / name, ROOT).beyond_tensorflow)
]
END = "--- end of a block ---"


@pytest.mark.parametrize("name", PAGES)
def test_a_built_page_runs_as_one_script(site, name, tmp_path):
    shown = shown_in_html(site, name)
    blocks = [text for title, text in shown if not title.startswith(NOT_RUN)]
    script = tmp_path / "pasted.py"
    script.write_text(f"\nprint({END!r}, flush=True)\n".join(blocks), "utf-8")
    folder = tmp_path / "empty"
    folder.mkdir()
    for file in read(ROOT / name, ROOT).tools if name.endswith(".md") else []:
        shutil.copy(ROOT / file, tmp_path)  # next to the script
    run = subprocess.run(
        [PYTHON, script], cwd=folder, capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, f"{name}:\n{run.stderr[-2000:]}"
    if name.endswith(".md"):
        expected = [b for b in shown_in_source(name) if b.reason is None]
        printed = run.stdout.split(f"{END}\n")
        for block, output in zip(expected, printed, strict=True):
            # What a script of its own shows, such as a class that is not known, need
            # not be so where everything is in one process.
            if block.script is None:
                assert output == (block.output or ""), f"{block.where}: {output}"
