"""The recorded tables still say what the scripts behind them measure."""

import hashlib
import json
import re
from importlib.metadata import version

import pytest

from tests import runner, sessions
from tests.versions import tables as versions

TABLE = versions.ROOT / "snippets" / "reference" / "formats.md"
PAGES = {
    ".keras": "../save/keras-archive.md",
    ".weights.h5": "../save/weights-only.md",
    "sharded weights": "../save/sharded-weights.md",
    ".h5": "../save/legacy-h5.md",
    "SavedModel": "../save/savedmodel.md",
    "Checkpoint": "../save/checkpoint.md",
    "npz": "../save/numpy-arrays.md",
}
# What is about the property rather than the format has a page of its own.
INNER = "../save/custom-layers.md#what-a-file-keeps-of-layers-inside-your-class"
STRUCTURES = "../save/custom-layers.md#which-structure-survives-which-format"
NORMALIZATION = "../save/checkpoint.md#a-normalization-layer-beside-it"
PROPERTY_PAGES = {
    "your own layer with BatchNormalization": STRUCTURES,
    "your own layer, layers in a list": STRUCTURES,
    "your own layer, a list in a list": STRUCTURES,
    "adapted `Normalization` layer": NORMALIZATION,
    "`epsilon` inside your own class": INNER,
    "dtype policy inside your own class": INNER,
    "`trainable` of a layer": "../train/fine-tune.md#which-files-keep-the-flags",
    "`trainable` inside your own class": INNER,
    "optimizer under `mixed_float16`, loss scale": "../train/mixed-precision.md",
    "optimizer, if a layer inside your own class is frozen": INNER,
    "resumes bit for bit": "../train/resume.md#every-format-measured",
    "Dropout's masks continue": "../train/resume.md#the-masks-of-dropout",
    "opens without your code": "../save/custom-layers.md",
    "detects a flipped bit in an array": "../verify/damaged-files.md",
    "detects a flipped bit in `epsilon`": "../verify/damaged-files.md",
}


def test_the_classic_examples_are_the_measured_ones():
    assert versions.fingerprint(versions.EXAMPLES) in versions.CLASSIC.read_text(), (
        f"{versions.CLASSIC.name} is out of date, the examples changed: make versions"
    )


def test_the_classic_examples_do_what_is_recorded(tmp_path):
    verdicts = []
    for example in versions.EXAMPLES:
        with runner.Script(tmp_path) as script:
            result = script.run(example.read_text("utf-8"))
        verdicts.append(versions.verdict(result.output, result.error or ""))
    row = versions.row(version("tensorflow"), version("keras"), verdicts)
    assert row in versions.CLASSIC.read_text("utf-8").splitlines(), (
        f"{versions.CLASSIC.name} is out of date, it lacks {row}: make versions"
    )


def test_the_loads_in_other_versions_are_recorded_for_this_script():
    record = versions.FORMATS.read_text("utf-8")
    script = versions.fingerprint([versions.LOAD])
    assert script in record, f"{versions.LOAD.name} changed: make versions"
    pair = f"TensorFlow {version('tensorflow')} and Keras {version('keras')};"
    assert pair in record, "other versions are installed: make versions"


def test_the_layers_in_containers_are_recorded_for_this_script():
    script = versions.fingerprint([versions.CONTAINERS])
    assert script in versions.CONTAINED.read_text("utf-8"), (
        f"{versions.CONTAINERS.name} changed: make versions"
    )


def test_what_training_does_is_recorded(tmp_path):
    recorded = versions.TRAINING.read_text("utf-8")
    assert versions.fingerprint([versions.TRAIN]) in recorded, (
        f"{versions.TRAIN.name} changed: make versions"
    )
    with runner.Script(tmp_path) as script:
        result = script.run(versions.TRAIN.read_text("utf-8"))
    assert result.error is None, f"{versions.TRAIN.name}: {result.error}"
    measured = json.loads(result.output.splitlines()[-1])
    head, _, *rows = [line for line in recorded.splitlines() if line.startswith("|")]
    column = [cell.strip() for cell in head.split("|")].index(version("keras"))
    shown = [[cell.strip() for cell in row.split("|")] for row in rows]
    found = {cells[1].strip("*"): cells[column] for cells in shown}
    assert found == measured, f"{versions.TRAINING.name} is out of date: make versions"


def test_a_script_of_another_version_that_changed_is_run_again(monkeypatch):
    assert sessions.late("docs/ship/tensorflow-js.md") == []
    assert sessions.late("tests/backends_zoo.py") == []
    monkeypatch.setattr(sessions.scripts, "recorded", lambda page, block: None)
    assert sessions.late("docs/ship/tensorflow-js.md") == ["--other-versions"]
    assert sessions.late("docs/ship/core-ml.md") == []


@pytest.mark.parametrize(
    ("proof", "files"),
    [each for name in sessions.SESSIONS.values() for each in name.proofs.items()],
)
def test_a_proof_is_stale_when_a_snippet_that_it_names_changed(proof, files):
    text = (versions.ROOT / proof).read_text("utf-8")
    named = re.findall(r'"(\w+/[\w/]+\.py):\w+"', text)
    assert {f"snippets/{file}" for file in named} <= {*files}, "name it in sessions.py"


@pytest.mark.parametrize("session", sessions.SESSIONS)
def test_the_pages_of_other_sessions_passed_as_they_are_shown(session):
    changed = sessions.stale(session)
    assert not changed, f"run make {session}, changed since they passed: {changed}"


def loads_in() -> dict[str, str]:
    """Return the row that says in which Keras versions each format loads."""
    loaded = {}
    for record in versions.recorded_loads():
        found = loaded.setdefault(record["format"], [])
        if record["result"] == "yes":
            found.append(record["keras"])
    tried = len(versions.PAIRS)
    return {
        name: f"all {tried} tried" if len(found) == tried else ", ".join(found)
        for name, found in loaded.items()
    }


def table(parts: dict[str, dict[str, dict[str, str]]]) -> str:
    """Return a Markdown table per part, each cell with a link to where it is shown."""
    head = "| property | " + " | ".join(f"[{n}]({p})" for n, p in PAGES.items()) + " |"
    lines = []
    for part, rows in parts.items():
        lines += [f"<!-- --8<-- [start:{part}] -->", head]
        lines.append("|---" * (len(PAGES) + 1) + "|")
        for prop, row in rows.items():
            links = [
                f"[{row[name]}]({PROPERTY_PAGES.get(prop, page)})"
                for name, page in PAGES.items()
            ]
            lines.append(f"| **{prop}** | " + " | ".join(links) + " |")
        lines += [f"<!-- --8<-- [end:{part}] -->", ""]
    return "\n".join(lines)


def formats_record() -> str:
    """Return the line that says what the table of formats was made from."""
    scripts = [versions.MEASURE, versions.MODELS, versions.LOAD, versions.FORMATS]
    made_from = versions.fingerprint(scripts)
    links = hashlib.sha256(repr([PAGES, PROPERTY_PAGES]).encode()).hexdigest()[:12]
    pair = f"TensorFlow {version('tensorflow')}, Keras {version('keras')}"
    return f"<!-- {pair}, scripts {made_from}, links {links} -->\n"


def test_the_table_of_formats_is_recorded_for_these_scripts(tmp_path, request):
    """Measuring takes two minutes: it is done again when something has changed."""
    record = formats_record()
    stale = not TABLE.read_text("utf-8").startswith(record)
    if stale and request.config.getoption("update_outputs"):
        with runner.Script(tmp_path) as script:
            result = script.run(versions.MEASURE.read_text("utf-8"))
        assert result.error is None, f"{versions.MEASURE.name}: {result.error}"
        parts = json.loads(result.output.splitlines()[-1])
        parts["files"]["loads in Keras"] = loads_in()
        versions.write(TABLE, record + table(parts))
    assert TABLE.read_text("utf-8").startswith(record), (
        f"{TABLE.name} is out of date, its scripts or versions changed: make outputs"
    )
