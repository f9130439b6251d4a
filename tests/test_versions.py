"""What other versions do is recorded for the pages as they are, and read rightly."""

import html
import io
import json
import re
from importlib.metadata import version

import pytest

from tests import pages, sessions
from tests.conftest import report
from tests.versions import (
    environments,
    files,
    files_table,
    matrix,
    scripts,
    table,
    worker,
)


def test_today_is_what_is_installed():
    installed = (version("tensorflow"), version("keras"))
    assert environments.TODAY[:2] == installed, (
        "tests/versions/environments.py: name the new versions, then make versions"
    )


def test_every_page_ran_on_every_version_as_it_is_now():
    record = matrix.load()
    late = {}
    for pair in environments.OTHERS.values():
        for name in matrix.stale(record, pair):
            late.setdefault(name, []).append(pair.name)
    report(
        f"{name} changed since it ran on {', '.join(pairs)}: make versions"
        for name, pairs in late.items()
    )


def test_no_page_is_recorded_that_is_gone():
    record = matrix.load()
    gone = set(record["pages"]) - set(matrix.everyday_pages())
    assert not gone, f"make versions forgets what is gone: {gone}"
    assert set(record["pairs"]) == set(environments.OTHERS)


def test_the_table_says_what_is_recorded():
    assert table.TABLE.read_text("utf-8") == table.text(), (
        f"{table.TABLE.name} is not what the record says: make versions"
    )


def test_files_across_versions_are_recorded_for_this_code():
    why = files.stale(files.load())
    assert why is None, f"{why}: make versions ARGS='--part files'"
    assert files_table.TABLE.read_text("utf-8") == files_table.text(), (
        f"{files_table.TABLE.name} is not what the record says: "
        "make versions ARGS='--part files'"
    )


def test_the_record_of_files_says_what_was_read(tmp_path):
    (old, new), message = ("2.12.1+2.12.0", environments.TODAY.name), "OSError: no"
    wrong = {"load_weights": ["wrong", 4, 8, 3, True, None]}
    answers = {
        old: [[old, "nested", ".h5", {"load_model": ["same"]}]],
        new: [
            [old, "nested", ".h5", {"load_model": ["raises", message], **wrong}],
            [new, "nested", ".h5", ["crash"]],
        ],
    }
    found = {n: {"installed": {}, "answers": told} for n, told in answers.items()}
    written = {old: [[old, "nested", ".h5", ["same"]]], new: []}
    record = files.compose(written, found, 1e-4)
    assert record["messages"] == [message]
    assert record["read"] == {
        "nested | .h5 | load": {new: ["-", "crash"]},
        "nested | .h5 | load_model": {old: ["=", "r0"]},
        "nested | .h5 | load_weights": {old: ["-", "wrong 4/8 3 p"]},
    }
    files.save(record, tmp_path / "files.json")
    assert files.load(tmp_path / "files.json") == record


@pytest.mark.parametrize(
    "way", [" | .h5 | load_weights", " | SavedModel, export | signature"]
)
def test_what_the_page_says_of_all_pairs_holds(way):
    record = files.load()
    for key, rows in record["read"].items():
        if key.endswith(way):
            assert set(sum(rows.values(), [])) == {"="}, key


def test_only_checkpoints_load_and_are_wrong():
    for key, rows in files.load()["read"].items():
        words = [w for w in sum(rows.values(), []) if w.startswith("wrong")]
        assert not words or key.split(" | ")[2] == "read", (key, words)
        assert all(word.endswith("!") for word in words), (key, words)


def test_neighbors_that_are_equal_share_a_row_and_a_column():
    names = files_table.NAMES
    marks = {name: ["M"] * 3 + ["W"] * (len(names) - 3) for name in names[:3]}
    marks[names[-1]] = ["!"] * len(names)
    assert files_table.grid(marks) == [
        "| written by | 2.12, 2.15, tf_keras | 3.0–3.15 |",
        "|---|---|---|",
        "| **2.12, 2.15, tf_keras** | M | W |",
        "| **3.15** | ! | ! |",
    ]


def test_files_of_other_versions_belong_to_a_script():
    kept = {path.parent for path in scripts.FOLDER.rglob(scripts.OUTPUT)}
    elsewhere = [
        pages.read(sessions.ROOT / item, sessions.ROOT)
        for session in sessions.SESSIONS
        for item in sessions.current(session)
        if item.endswith(".md")
    ]
    named = {
        scripts.kept(page, block)
        for page in [*matrix.everyday_pages().values(), *elsewhere]
        for block in page.blocks
        if block.version
    }
    assert kept == named, "delete what belongs to no page, or make versions, make ship"


def test_titles_of_blocks_name_environments():
    for title in ("tensorflowjs 4.22.0", "tf_keras 2.21.0", "TensorFlow 1.15.5"):
        assert environments.named(title).title == title
    assert environments.TENSORFLOW_JS.name == "2.17.1+tensorflowjs-4.22.0"
    with pytest.raises(KeyError, match="no environment for 'tensorflowjs 3.18.0'"):
        environments.named("tensorflowjs 3.18.0")


@pytest.mark.parametrize(
    "shown, printed, error, broken, said",
    [
        ("a\n", "a\n", None, False, None),
        (None, "", None, True, None),
        ("a\nb\n", "a\nc\n", None, False, ["other", "b", "c"]),
        ("a\n", "", None, False, ["other", "a", ""]),
        (None, "a\n", None, False, ["other", "", "a"]),
        ("a", "a", "KeyError: 1\n2", True, ["raised", "KeyError: 1"]),
        ("a", "", "NameError: n", False, ["raised", "NameError: n"]),
        ("a", "", "NameError: n", True, ["unreached", "NameError: n"]),
        (
            "a",
            "",
            "ModuleNotFoundError: No module named 'jax.numpy'",
            False,
            ["missing", "jax"],
        ),
        (
            "a",
            "",
            "ImportError: OrbaxCheckpoint requires the 'orbax-checkpoint' package. Do",
            False,
            ["missing", "orbax-checkpoint"],
        ),
        (
            "a",
            "",
            "ModuleNotFoundError: No module named 'keras.ops'",
            False,
            ["raised", "ModuleNotFoundError: No module named 'keras.ops'"],
        ),
        (
            "a",
            "",
            "OSError: /tmp/x/page-1_b/m.keras",
            False,
            ["raised", "OSError: m.keras"],
        ),
    ],
)
def test_a_block_is_judged(shown, printed, error, broken, said):
    assert matrix.verdict(shown, printed, error, broken) == said


@pytest.mark.parametrize("place", ["page-ab_1", "lib/python3.11/site-packages"])
def test_the_record_names_no_folder_of_a_machine(place):
    line = f"<module 'keras' from '/home/me/{place}/keras.py'>"
    said = ["other", "", "<module 'keras' from 'keras.py'>"]
    assert matrix.verdict("", line, None, False) == said
    assert matrix.verdict("", "", f"OSError: {line}", True)[1].endswith("'keras.py'>")
    text = matrix.RECORD.read_text("utf-8")
    assert "site-packages" not in text and str(environments.ROOT) not in text


def test_the_worker_goes_on_after_a_block_that_raises(monkeypatch, capsys, tmp_path):
    tool = tmp_path / "tool.py"
    tool.write_text("value = 2\n")
    left = tmp_path / "left"
    left.mkdir()
    (left / "old.txt").write_text("old")
    blocks = [
        ["import tool\n1 / 0", 3, None, None],
        ["print(tool.value)", 9, None, None],
        ["not run", 12, "write.py", str(left)],
        ["print(open('old.txt').read(), 'tool' in globals())", 15, "own.py", None],
    ]
    page = {"name": "docs/a.md", "tools": [str(tool)], "blocks": blocks}
    monkeypatch.setattr("tests.runner.TIMEOUT", 300)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(page) + "\n"))
    worker.main("keras")
    assert json.loads(capsys.readouterr().out) == {
        "name": "docs/a.md",
        "results": [
            ["", "ZeroDivisionError: division by zero"],
            ["2\n", None],
            ["", None],
            ["old False\n", None],
        ],
    }


def test_the_record_is_of_the_schema(monkeypatch, tmp_path):
    monkeypatch.setattr(matrix, "RECORD", tmp_path / "pages.json")
    assert matrix.load()["pages"] == {}
    record = {"schema": matrix.SCHEMA, "today": "x", "pairs": {}, "pages": {"a": {}}}
    matrix.save(record)
    assert matrix.load() == record
    matrix.save(record | {"schema": 0})
    with pytest.raises(SystemExit, match="another schema"):
        matrix.load()


def test_each_page_says_on_which_versions_it_ran(site):
    """The line, its link, and the headings that its details name."""
    record, problems = matrix.load(), []
    for name in record["pages"]:
        page = name.removeprefix("docs/").removesuffix(".md")
        path = site.path / page.removesuffix("index") / "index.html"
        text = path.read_text("utf-8")
        found = re.search(r'<details class="versions".*?</details>', text, re.DOTALL)
        if found is None:
            problems.append(f"{name}: no line of versions on the built page")
            continue
        link = re.search(r'href="([^"]*)">All pages', found[0])[1]
        if not (path.parent / link / "index.html").is_file():
            problems.append(f"{name}: {link} leads nowhere")
        titles = re.findall(r"<h[2-4][^>]*>(.*?)</h", text, re.DOTALL)
        titles = [html.unescape(re.sub(r"<[^>]*>", "", title)) for title in titles]
        for heading in re.findall(r"<li>“(.*?)”(?:, block \d+)?: ", found[0]):
            if not any(html.unescape(heading) in title for title in titles):
                problems.append(f"{name}: no heading {heading!r}")
    report(problems)
