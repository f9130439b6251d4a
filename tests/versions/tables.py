"""The tables of versions: classic examples, loads, training, layers in containers.

Each pair of versions runs the three examples of the classic answer as they are passed
around, loads the files that the installed version wrote, and trains small models. That
takes minutes and gigabytes, so the everyday tests only check that the records belong to
these scripts and to the installed versions.
"""

import csv
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.versions import environments
from tests.versions.environments import ROOT, Pair

PAIRS = [
    environments.WRITERS[0],
    environments.KERAS_2,
    *(pair for pair in environments.SHIPPED if pair.keras not in ("3.4.1", "3.13.2")),
    environments.TODAY,
]
# For layers in containers two more, the last before the one that keeps all of them.
CONTAINER_PAIRS = [
    *PAIRS[2:-1],
    Pair("2.21.0", "3.13.2"),
    Pair("2.21.0", "3.14.0"),
    environments.TODAY,
]
EXAMPLES = sorted((ROOT / "tests" / "classic").glob("example_*.py"))
CLASSIC = ROOT / "snippets" / "understand" / "classic_versions.md"
MEASURE = ROOT / "tests" / "formats" / "measure.py"
MODELS = ROOT / "tests" / "formats" / "models.py"
LOAD = ROOT / "tests" / "formats" / "load.py"
FORMATS = ROOT / "tests" / "formats" / "versions.csv"
CONTAINERS = ROOT / "tests" / "formats" / "containers.py"
CONTAINED = ROOT / "snippets" / "reference" / "containers.md"
TRAIN = ROOT / "tests" / "training" / "measure.py"
TRAINING = ROOT / "snippets" / "reference" / "training.md"


def fingerprint(scripts: list[Path]) -> str:
    """Return a short hash of scripts, to tell when a record is out of date."""
    text = "".join(path.read_text("utf-8") for path in scripts)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def verdict(stdout: str, error: str) -> str:
    """Return what an example of the classic answer ended with.

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
    """Return the row of the table of the classic examples for a pair of versions."""
    return (
        f"| {tensorflow} | {keras} | " + " | ".join(f"`{v}`" for v in verdicts) + " |"
    )


def run(command: list, folder: str | Path) -> subprocess.CompletedProcess:
    """Run a script in a folder and keep what it prints."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def classic(python: Path) -> list[str]:
    """Run the classic examples, each in an empty folder; return their verdicts."""
    verdicts = []
    for example in EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            done = run([python, example], folder)
        verdicts.append(verdict(done.stdout, done.stderr if done.returncode else ""))
    return verdicts


def loads(python: Path, files: Path) -> dict[str, str]:
    """Load the written files; return what `load.py` says, by format."""
    done = run([python, LOAD, "read"], files)
    said = dict(line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
    return {name: said.get(name, "crash") for name in written()}


def containers(python: Path, keras: str, work: str) -> dict[str, dict[str, str]]:
    """Keep layers in containers; return what came back, by direction and by row."""
    folder = keras.replace(".", "-")
    run([python, CONTAINERS, "write", folder], work)
    reads = {
        "same": [python, CONTAINERS, "read", folder],
        "old": [sys.executable, CONTAINERS, "read", folder],
        "new": [python, CONTAINERS, "read", "new"],
    }
    results = {}
    for name, command in reads.items():
        done = run(command, work)
        assert done.returncode == 0, done.stderr
        results[name] = json.loads(done.stdout.splitlines()[-1])
    return results


def training(python: Path) -> dict[str, str]:
    """Train small models; return what `training/measure.py` says, by question."""
    with tempfile.TemporaryDirectory() as folder:
        done = run([python, TRAIN], folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def training_table(trained: dict[str, dict[str, str]]) -> str:
    """Return the answers as a Markdown table, a column a version, newest first."""
    trained = dict(reversed(trained.items()))
    lines = [
        "| under Keras | " + " | ".join(trained) + " |",
        "|---" * (len(trained) + 1) + "|",
    ]
    for question in next(iter(trained.values())):
        cells = [answers[question] for answers in trained.values()]
        lines.append(f"| **{question}** | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def containers_comment() -> str:
    """Return the comment that says which script the table of containers is from."""
    hashed = fingerprint([CONTAINERS])
    return f"<!-- Written by make versions; script {hashed}. -->"


def containers_table(kept: dict[str, dict[str, dict[str, str]]]) -> str:
    """Return two tables: within one version, and between it and the installed one.

    Args:
        kept: By version, what `containers` returned.
    """
    newest = version("keras")
    kept = dict(reversed(kept.items()))

    def line(*cells: str) -> str:
        return "| " + " | ".join(cells).replace("| none", "| **none**") + " |"

    versions = list(kept)
    lines = [
        "<!-- --8<-- [start:same] -->",
        line("class derived from", "layers kept in", "saved as", *versions),
        "|---" * (len(versions) + 3) + "|",
    ]
    for row in kept[newest]["same"]:
        lines.append(line(row, *(kept[v]["same"][row] for v in versions)))
    others = [v for v in versions if v != newest]
    lines += [
        "<!-- --8<-- [end:same] -->",
        "",
        "<!-- --8<-- [start:across] -->",
        line("class derived from", "files", *others),
        "|---" * (len(others) + 2) + "|",
    ]
    for row in kept[newest]["same"]:
        base, places, formats = row.split(" | ")
        if places.startswith("containers") and ".keras" in formats:
            for direction, label in {
                "old": f"written by these versions, read by {newest}",
                "new": f"written by {newest}, read by these versions",
            }.items():
                cells = [kept[v][direction][row] for v in others]
                lines.append(line(base, label, *cells))
    return "\n".join([*lines, "<!-- --8<-- [end:across] -->"]) + "\n"


def written() -> list[str]:
    """Return the formats that `load.py` writes."""
    return re.findall(r'^    "([^"]+)": \(', LOAD.read_text("utf-8"), re.M)


def write(path: Path, text: str) -> None:
    """Write a file as a whole, or not at all."""
    temporary = path.with_suffix(".new")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)


def stale() -> bool:
    """Tell whether a script changed since its table was written."""
    written_by = {
        CLASSIC: EXAMPLES,
        FORMATS: [LOAD],
        CONTAINED: [CONTAINERS],
        TRAINING: [TRAIN],
    }
    return any(
        fingerprint(scripts) not in table.read_text("utf-8")
        for table, scripts in written_by.items()
    )


def main() -> None:
    """Measure all pairs and write the records."""
    rows, loaded, trained, kept = [], [], {}, {}
    with tempfile.TemporaryDirectory() as work:
        files = Path(work, "to_load_elsewhere")
        files.mkdir()
        done = run([sys.executable, LOAD, "write"], files)
        assert done.returncode == 0, done.stderr
        run([sys.executable, CONTAINERS, "write", "new"], work)
        for pair in dict.fromkeys([*PAIRS[:2], *CONTAINER_PAIRS]):
            tensorflow, keras, _ = pair
            python = environments.install(pair)
            if pair in PAIRS:
                rows.append(row(tensorflow, keras, classic(python)))
                found = loads(python, files)
                loaded += [[n, tensorflow, keras, found[n]] for n in found]
                trained[keras] = training(python)
                print(rows[-1], *found.values(), flush=True)
                print(*trained[keras].values(), sep=", ", flush=True)
            if pair in CONTAINER_PAIRS:
                kept[keras] = containers(python, keras, work)
                print(keras, kept[keras], flush=True)
    header = ["| TensorFlow | Keras | example 1 | example 2 | example 3 |"]
    comment = f"<!-- Written by make versions; examples {fingerprint(EXAMPLES)}. -->"
    table = [comment, "", *header, "|---|---|---|---|---|", *rows]
    write(CLASSIC, "\n".join(table) + "\n")
    writer = f"TensorFlow {version('tensorflow')} and Keras {version('keras')}"
    comment = f"# {writer}; script {fingerprint([LOAD])}\n"
    lines = [
        ",".join(line)
        for line in [["format", "tensorflow", "keras", "result"], *loaded]
    ]
    write(FORMATS, comment + "\n".join(lines) + "\n")
    comment = f"<!-- Written by make versions; script {fingerprint([TRAIN])}. -->"
    write(TRAINING, f"{comment}\n\n{training_table(trained)}")
    write(CONTAINED, f"{containers_comment()}\n\n{containers_table(kept)}")


def recorded_loads() -> list[dict[str, str]]:
    """Return the recorded loads: format, tensorflow, keras, result."""
    with FORMATS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))
