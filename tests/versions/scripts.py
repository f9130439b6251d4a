"""The scripts on pages that belong to another version, run there and recorded.

A block with the title ``write.py, Keras 2.15.0`` runs in that version's environment,
by `make versions`, or by `make ship` on its pages. What it printed and the files it
left are kept, so that the everyday tests run the rest of the page on real files of that
version.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from tests.runner import Result
from tests.versions import environments, old

FOLDER = Path(__file__).parent / "scripts"
OUTPUT = "printed.json"
"""File beside the recorded ones: what the script printed, and what it was run from."""


def kept(page, block) -> Path:
    """Return the folder of the files that a script left."""
    return FOLDER / page.name.removeprefix("docs/").removesuffix(".md") / block.script


def fingerprint(page, block) -> str:
    """Return a short hash of a script and of all blocks above it, which it may need."""
    above = page.blocks[: page.blocks.index(block) + 1]
    text = "\0".join(f"{b.version}\0{b.code}" for b in above)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def recorded(page, block) -> dict | None:
    """Return the record of a script; `None` if it is not of what stands there now."""
    path = kept(page, block) / OUTPUT
    if path.is_file():
        said = json.loads(path.read_text("utf-8"))
        if said["run"] == fingerprint(page, block):
            return said
    return None


def execute(page, block, folder: Path) -> Result:
    """Run a script on its own version and keep what it printed and left.

    Args:
        page: The page, a `tests.pages.Page`.
        block: The block, one with a version.
        folder: Working directory of the page.

    Returns:
        What it printed, and how it ended.
    """
    if block.version in old.OLD:
        python = old.install(old.OLD[block.version])
    else:
        python = environments.install(environments.named(block.version))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    script = folder / block.script
    script.write_text(block.code, "utf-8")
    done = subprocess.run(
        [python, script], cwd=folder, capture_output=True, encoding="utf-8"
    )
    script.unlink()
    if done.returncode:
        return Result(done.stdout, done.stderr[-2000:])
    left = kept(page, block)
    shutil.rmtree(left, ignore_errors=True)
    left.mkdir(parents=True)
    for path in folder.rglob("*"):
        if path.is_file() and before.get(path) != path.stat().st_mtime_ns:
            target = left / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    said = {"run": fingerprint(page, block), "printed": done.stdout}
    (left / OUTPUT).write_text(json.dumps(said, indent=1) + "\n", "utf-8")
    return Result(done.stdout)


def replay(page, block, folder: Path) -> Result:
    """Put the files that a script left into a folder, instead of running it.

    Args:
        page: The page, a `tests.pages.Page`.
        block: The block, one with a version.
        folder: Working directory of the page.

    Returns:
        What it printed; an error, if it is not the script that was run.
    """
    said = recorded(page, block)
    if said is None:
        message = f"changed since it was run on {block.version}: make versions"
        return Result("", f"{block.script} {message}")
    shutil.copytree(
        kept(page, block),
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(OUTPUT),
    )
    return Result(said["printed"])
