"""The pages that need JAX and PyTorch: run by `make backends`, and recorded.

Their libraries fill an environment of their own, and each of their scripts starts a
fresh interpreter, so the everyday tests only check that the record belongs to what
the pages show, to the proofs of their recipes and to the pinned versions.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path

from tests import pages

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "tests" / "backends.txt"
SESSION = "backends"
PROOFS = ROOT / "tests" / "backends_zoo.py"
# What the proofs are made of, and the tool file that one of the pages imports.
NEEDED = [
    PROOFS,
    *(ROOT / "tests" / "zoo" / f"{name}.py" for name in ("compare", "core", "members")),
    ROOT / "docs" / "bn_tools.py",
]


def shown() -> dict[str, str]:
    """Return a short hash of the code and the outputs of each page of the session."""
    found = {}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        page = pages.read(path, ROOT)
        if page.session == SESSION:
            parts = (part for b in page.blocks for part in (b.code, b.output or ""))
            text = "\0".join(parts)
            found[page.name] = hashlib.sha256(text.encode()).hexdigest()[:12]
    return found


def proofs() -> dict[str, str]:
    """Return a short hash of the proofs of the session's recipes."""
    text = "\0".join(path.read_text("utf-8") for path in NEEDED)
    name = PROOFS.relative_to(ROOT).as_posix()
    return {name: hashlib.sha256(text.encode()).hexdigest()[:12]}


def pinned() -> dict[str, str]:
    """Return the versions that the session's environment is made of."""
    locks = [ROOT / ".lock" / name for name in ("backends.txt", "torch.txt")]
    text = "\n".join(lock.read_text("utf-8") for lock in locks)
    versions = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))
    return {name: versions[name] for name in ("tensorflow", "keras", "jax", "torch")}


def record() -> str:
    """Return the text that says what was run with which versions."""
    recorded = {**pinned(), **shown(), **proofs()}
    lines = [f"{name} {what}" for name, what in recorded.items()]
    return "\n".join(
        ["# Written by `make backends` after all of it passed.", *lines, ""]
    )


def main() -> None:
    """Run the session's pages with this interpreter; record it if all of them pass."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--update-outputs",
        action="store_true",
        help="write what the blocks print into the pages instead of comparing",
    )
    # Nothing else: what selects some of the pages would have all of them recorded.
    options = ["--update-outputs"] if parser.parse_args().update_outputs else []
    command = [sys.executable, "-m", "pytest", "-n", "2", "-m", SESSION, "docs", PROOFS]
    if code := subprocess.run([*command, *options], cwd=ROOT).returncode:
        sys.exit(code)
    RECORD.write_text(record(), "utf-8")


if __name__ == "__main__":
    main()
