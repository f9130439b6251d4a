"""Run the three examples of the classic answer, as written, on many versions.

`make versions` installs each pair below in an environment of its own, runs the examples
in empty folders, and records what they end with in a table that a page includes. That
takes minutes and gigabytes, so the everyday tests compare the recorded row of the
installed versions with a run, and the recorded fingerprint with the examples.
"""

import hashlib
import re
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
EXAMPLES = sorted(FOLDER.glob("example_*.py"))
TABLE = ROOT / "snippets" / "understand" / "classic_versions.md"
UV = ROOT / ".venv" / "lock" / "bin" / "uv"
PAIRS = [
    ("2.12.1", "2.12.0"),
    ("2.15.1", "2.15.0"),
    ("2.16.2", "3.3.3"),
    ("2.18.1", "3.6.0"),
    ("2.19.1", "3.9.2"),
    ("2.20.0", "3.11.3"),
    ("2.21.0", "3.15.1"),
]


def fingerprint() -> str:
    """Return a short hash of the examples, to tell when the table is out of date."""
    text = "".join(path.read_text("utf-8") for path in EXAMPLES)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def verdict(stdout: str, error: str) -> str:
    """Return what an example ended with.

    Args:
        stdout: All that it printed.
        error: The end of its traceback; empty if it ran to its end.

    Returns:
        The value that its last line prints, "True" or "False", or the name of the
        exception that ended it.
    """
    if error:
        return re.findall(r"^(?:\w+\.)*(\w+(?:Error|Exception)):", error, re.M)[-1]
    return re.search(r"identical: (True|False)", stdout)[1]


def row(tensorflow: str, keras: str, verdicts: list[str]) -> str:
    """Return the row of the table for a pair of versions."""
    return (
        f"| {tensorflow} | {keras} | " + " | ".join(f"`{v}`" for v in verdicts) + " |"
    )


def run(python: Path, example: Path) -> str:
    """Run an example with an interpreter, in an empty folder; return its verdict."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, example]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return verdict(done.stdout, done.stderr if done.returncode else "")


def main() -> None:
    """Measure all pairs and write the table, as a whole or not at all."""
    rows = []
    for tensorflow, keras in PAIRS:
        with tempfile.TemporaryDirectory() as folder:
            python = Path(folder, "bin", "python")
            wanted = [f"tensorflow-cpu=={tensorflow}", f"keras=={keras}"]
            if tensorflow < "2.18":
                wanted.append("numpy<2")
            # The one Python that all of these versions have wheels for.
            venv = [UV, "venv", "--quiet", "--clear", "--python", "3.11", folder]
            install = [UV, "pip", "install", "--quiet", "--python", python, *wanted]
            subprocess.run(venv, check=True)
            subprocess.run(install, check=True)
            verdicts = [run(python, example) for example in EXAMPLES]
            rows.append(row(tensorflow, keras, verdicts))
        print(rows[-1], flush=True)
    table = [
        f"<!-- Written by make versions; examples {fingerprint()}. -->",
        "",
        "| TensorFlow | Keras | example 1 | example 2 | example 3 |",
        "|---|---|---|---|---|",
        *rows,
    ]
    temporary = TABLE.with_suffix(".new")
    temporary.write_text("\n".join(table) + "\n", "utf-8")
    temporary.replace(TABLE)


if __name__ == "__main__":
    main()
