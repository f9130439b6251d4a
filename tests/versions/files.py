"""Files across versions: each writes, each reads, and what came of it is recorded.

`exchange.py` runs in the environment of each of `PAIRS`: it writes a folder of files,
then reads those of all. The record, `files.json`, is written once all have read all.
Until then, what is done is kept in ``.cache/files``, and an interrupted run goes on
with the next version. The record holds

- ``script``: the hash of the `exchange.py` that it is from,
- ``versions``: what was installed, and the day, by pair,
- ``messages``: those that were raised, each once,
- ``written``: by structure and format, a word for each writer,
- ``read``: by structure, format and way, and by writer, a word for each reader.

The words:

- ``=``: written; or read, with all arrays and predictions equal,
- ``-``: not of this version, or not of this file,
- ``lacks 4``: written, but four arrays of the model are nowhere in the file,
- ``wrong 3/14 p``: read, but three of 14 arrays differ, and (``p``) the predictions;
  then ``!``, if ``assert_existing_objects_matched`` raises, ``?``, if it does not,
- ``r7``: the message number 7, counted from 0, was raised,
- ``hangs``, ``crashes -11``: with the exit code.
"""

import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.versions import environments, matrix
from tests.versions.environments import ROOT, TODAY, Pair

PAIRS = (*environments.WRITERS, TODAY)
SCRIPT = Path(__file__).with_name("exchange.py")
RECORD = Path(__file__).with_name("files.json")
SCHEMA = 1
AT_ONCE = 2
"""Versions that write or read at the same time."""


def fingerprint() -> str:
    """Return a short hash of the script that writes and reads."""
    return hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:12]


def load(path: Path = RECORD) -> dict:
    """Return the record; an empty one where there is none."""
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def stale() -> str | None:
    """Return why the record is out of date, if it is."""
    record = load()
    if record.get("schema") != SCHEMA or record["script"] != fingerprint():
        return f"{SCRIPT.name} changed"
    if list(record["versions"]) != [pair.name for pair in PAIRS]:
        return "other pairs of versions are compared"
    return None


def python(pair: Pair) -> Path:
    """Return the interpreter of a pair; today's is the one that runs this."""
    return Path(sys.executable) if pair == TODAY else environments.install(pair)


def call(pair: Pair, command: str, folders: list[str], work: Path) -> list:
    """Run the script in the environment of a pair; return the lines it prints."""
    legacy = {"TF_USE_LEGACY_KERAS": "1"} if pair.package == "tf_keras" else {}
    kept = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    with (work / f"{command}-{pair.name}.log").open("w") as log:
        done = subprocess.run(
            [python(pair), SCRIPT, command, *folders],
            cwd=work,
            env={**kept, **legacy},
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
        )
    if done.returncode:
        raise SystemExit(f"{pair.name} cannot {command}, see {log.name}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def write(pair: Pair, work: Path) -> list:
    """Have a pair write its files, unless it has; return what became of each."""
    done = work / f"written-{pair.name}.json"
    if not done.is_file():
        shutil.rmtree(work / pair.name, ignore_errors=True)
        lines = call(pair, "write", [pair.name], work)
        done.write_text(json.dumps(lines), "utf-8")
        print(f"{pair.name}: {len(lines)} files", flush=True)
    return json.loads(done.read_text("utf-8"))


def read(pair: Pair, work: Path) -> dict:
    """Have a pair read all files, unless it has; return its versions and results."""
    done = work / f"read-{pair.name}.json"
    if not done.is_file():
        lines = call(pair, "read", [other.name for other in PAIRS], work)
        told = {
            **matrix.installed(python(pair)),
            "date": datetime.date.today().isoformat(),
        }
        done.write_text(json.dumps({"installed": told, "lines": lines}), "utf-8")
        print(f"{pair.name}: {len(lines)} reads", flush=True)
    return json.loads(done.read_text("utf-8"))


def word(result: list, messages: dict[str, int]) -> str:
    """Return what the record says of a result of the script.

    Args:
        result: What `exchange.write` or `exchange.read` returned.
        messages: Number of each message so far; a new one is added.
    """
    kind, *rest = result
    if kind in ("written", "same"):
        return "="
    if kind == "lacks":
        return f"lacks {len(rest[0])}"
    if kind == "raises":
        return f"r{messages.setdefault(rest[0], len(messages))}"
    if kind == "wrong":
        differ, of, predictions, asserted = rest
        said = {None: "", True: " !", False: " ?"}[asserted]
        return f"wrong {differ}/{of}" + " p" * predictions + said
    return " ".join(map(str, result))


def compose(written: dict[str, list], found: dict[str, dict]) -> dict:
    """Return the record of what all have written and read, by the name of the pair."""
    names = list(found)
    messages, wrote, reads = {}, {}, {}
    for writer, lines in written.items():
        for structure, format, result in lines:
            row = wrote.setdefault(f"{structure} | {format}", ["-"] * len(names))
            row[names.index(writer)] = word(result, messages)
    for reader, told in found.items():
        for writer, structure, format, way, result in told["lines"]:
            rows = reads.setdefault(f"{structure} | {format} | {way}", {})
            row = rows.setdefault(writer, ["-"] * len(names))
            row[names.index(reader)] = word(result, messages)
    return {
        "schema": SCHEMA,
        "script": fingerprint(),
        "versions": {name: told["installed"] for name, told in found.items()},
        "messages": list(messages),
        "written": wrote,
        "read": reads,
    }


def save(record: dict, path: Path = RECORD) -> None:
    """Write the record, a line a row, as a whole or not at all."""

    def rows(named: dict, indent: str) -> str:
        lines = [f"{indent} {json.dumps(k)}: {json.dumps(v)}" for k, v in named.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"

    messages = ",\n".join(
        f"  {json.dumps(line, ensure_ascii=False)}" for line in record["messages"]
    )
    cells = ",\n".join(
        f"  {json.dumps(name)}: {rows(row, '  ')}"
        for name, row in record["read"].items()
    )
    parts = {
        "schema": json.dumps(record["schema"]),
        "script": json.dumps(record["script"]),
        "versions": rows(record["versions"], " "),
        "messages": f"[\n{messages}\n ]",
        "written": rows(record["written"], " "),
        "read": f"{{\n{cells}\n }}",
    }
    text = ",\n".join(f' "{name}": {value}' for name, value in parts.items())
    temporary = path.with_suffix(".new")
    temporary.write_text("{\n" + text + "\n}\n", "utf-8")
    temporary.replace(path)


def main(again: bool = False) -> None:
    """Have all versions write and read what they have not, and write the record."""
    work = ROOT / ".cache" / "files" / fingerprint()
    if again:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    names = [pair.name for pair in PAIRS]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        written = list(pool.map(lambda pair: write(pair, work), PAIRS))
        found = list(pool.map(lambda pair: read(pair, work), PAIRS))
    save(
        compose(
            dict(zip(names, written, strict=True)), dict(zip(names, found, strict=True))
        )
    )
