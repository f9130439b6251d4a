"""Run pages in the interpreter of another version; a line of JSON in, one out, each.

Started by `matrix.py` with the interpreter of a pair, so it imports nothing but the
standard library, and `tests.runner`, which does the same.
"""

import json
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests import runner

TIMEOUT = 100
"""Seconds that a block may take: what a version does not end is a difference, too."""

AT_ONCE = 2
"""Pages that run at the same time; each takes a core and up to a gigabyte."""


def run(page: dict) -> dict:
    """Run the blocks of a page; one that raises does not end it.

    Args:
        page: Its ``name``; its ``tools``, the files that its readers have; and its
            ``blocks``, each code, number of its first line, name of the script that it
            is, or ``None``, and folder of the files that it left, if it belongs to
            a version of its own.

    Returns:
        The name, and by block what it printed and the error that ended it, or ``None``.
    """
    results = []
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        folder = Path(name)
        for file in page["tools"]:
            shutil.copy(file, folder)
        with runner.Script(folder) as script:
            for code, line, own, files in page["blocks"]:
                if files:
                    shutil.copytree(files, folder, dirs_exist_ok=True)
                    result = runner.Result("")
                elif own is None:
                    result = script.run(code, line)
                else:
                    with runner.Script(folder) as other:
                        result = other.run(code, line)
                results.append([result.output, result.error])
    return {"name": page["name"], "results": results}


def main(keras: str) -> None:
    """Run the pages that come in.

    Args:
        keras: Name of the package that pages get as ``keras``.
    """
    if keras == "tf_keras":
        runner.PRELOAD[:] = ["tests.versions.legacy"]
    runner.TIMEOUT = TIMEOUT
    todo = [json.loads(line) for line in sys.stdin]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in as_completed([pool.submit(run, page) for page in todo]):
            print(json.dumps(done.result()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
