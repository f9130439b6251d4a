"""Files across versions: each writes, each reads, and what came of it is recorded.

`exchange` runs in the environment of each of `PAIRS`: it writes a folder of files, then
reads those of all. What is done is kept in ``.cache/files``, file by file, so that an
interrupted run goes on where it stopped. The record, `files.json`, is written once all
have read all. It holds

- ``schema``, and ``code``, the hash of what wrote and read;
- ``tolerance`` of the predictions, absolute and relative;
- ``versions``: what was installed, and the day, by pair, oldest first;
- ``messages``: those that were raised, each once;
- ``written``: by structure and format, a word for each writer;
- ``read``: by structure, format and way, and by writer, a word for each reader.

The words:

- ``=``: written; or read, with all arrays and predictions equal;
- ``-``: none of this version or of this file, or not needed, as another way did it;
- ``wrong 4/8 3 p``: read, but 4 of the 8 arrays of BatchNormalization layers differ,
  and 3 others; ``p``: so do the predictions; then ``!`` if
  ``assert_existing_objects_matched`` raises, ``?`` if it does not;
- ``r7``: the message number 7, counted from 0, was raised;
- ``hangs``: it did not end; ``crash``: the process did.
"""

import datetime
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.versions import environments, matrix
from tests.versions.environments import ROOT, TODAY, Pair

PAIRS = (*environments.WRITERS, TODAY)
"""The versions that write and read, oldest first."""

FOLDER = Path(__file__).with_name("exchange")
RECORD = Path(__file__).with_name("files.json")
COPY = ROOT / "snippets" / "trouble" / "keras_file" / "older_keras.py"
SCHEMA = 1
CRASHES = {getattr(signal, f"SIG{name}") for name in "ABRT BUS FPE ILL SEGV".split()}
"""Signals that end a process by its own fault."""

AT_ONCE = 2
"""Versions that write or read at the same time."""


def fingerprint() -> str:
    """Return a short hash of the code that writes and reads."""
    parts = [path.read_text("utf-8") for path in sorted(FOLDER.glob("*.py"))]
    parts.append(
        COPY.read_text("utf-8").split("[start:copy]")[1].split("[end:copy]")[0]
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def load(path: Path = RECORD) -> dict:
    """Return the record; an empty one where there is none."""
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def stale(record: dict) -> str | None:
    """Return why a record is out of date, if it is."""
    if record.get("schema") != SCHEMA or record["code"] != fingerprint():
        return "tests/versions/exchange or the function that it proves changed"
    if list(record["versions"]) != [pair.name for pair in PAIRS]:
        return "other pairs of versions write and read"
    return None


def python(pair: Pair) -> Path:
    """Return the interpreter of a pair; today's is the one that runs this."""
    return Path(sys.executable) if pair == TODAY else environments.install(pair)


def lines(path: Path) -> list:
    """Return what a file of lines of JSON holds; an unfinished line is cut off."""
    text = path.read_text("utf-8") if path.is_file() else ""
    text = text[: text.rfind("\n") + 1]
    path.write_text(text, "utf-8")
    return [json.loads(line) for line in text.splitlines()]


def exchange(pair: Pair, command: str, folders: list[str], work: Path) -> list:
    """Have a pair write or read what it has not; return what came of each file."""
    done = work / f"{command}-{pair.name}.jsonl"
    finished = done.with_suffix(".done")
    legacy = {"TF_USE_LEGACY_KERAS": "1"} if pair.package == "tf_keras" else {}
    kept = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    while not finished.is_file():
        count = len(lines(done))
        with done.open("a") as answer, (work / f"{done.stem}.log").open("w") as log:
            ended = subprocess.run(
                [python(pair), "-m", "tests.versions.exchange", command, str(count)]
                + folders,
                cwd=work,
                env={**kept, **legacy, "PYTHONPATH": str(ROOT)},
                stdout=answer,
                stderr=log,
            ).returncode
        if not ended:
            finished.touch()
            print(f"{pair.name}: {command} {len(lines(done))} files", flush=True)
        elif -ended in CRASHES:
            with done.open("a") as answer:
                answer.write(json.dumps([None, None, None, ["crash"]]) + "\n")
        else:
            raise SystemExit(f"{pair.name} cannot {command}, see {log.name}")
    return lines(done)


def named(found: list, folders: list[str]) -> list:
    """Return the answers, those of a process that ended with the file it was at."""
    formats = re.findall(
        r'^    "([^"]+)": \(', (FOLDER / "ways.py").read_text("utf-8"), re.M
    )
    structures = list(dict.fromkeys(line[1] for line in found if line[1]))
    jobs = [(f, s, n) for f in folders for s in structures for n in formats]
    return [[*job, line[3]] for job, line in zip(jobs, found, strict=True)]


def word(result: list, messages: dict[str, int]) -> str:
    """Return what the record says of a result.

    Args:
        result: What `exchange` told of a file, or of a way to read it.
        messages: Number of each message so far; a new one is added.
    """
    kind, *rest = result
    if kind == "same":
        return "="
    if kind == "raises":
        return f"r{messages.setdefault(rest[0], len(messages))}"
    if kind == "wrong":
        differ, of, others, predictions, noticed = rest
        told = {None: "", True: " !", False: " ?"}[noticed]
        return f"wrong {differ}/{of} {others}" + " p" * predictions + told
    return kind


def compose(written: dict[str, list], found: dict[str, dict], tolerance: float) -> dict:
    """Return the record of what all have written and read, by the name of the pair."""
    names = list(written)
    messages, wrote, reads = {}, {}, {}
    for writer, answers in written.items():
        for _, structure, format, result in answers:
            row = wrote.setdefault(f"{structure} | {format}", ["-"] * len(names))
            row[names.index(writer)] = word(result, messages)
    for reader, told in found.items():
        for writer, structure, format, results in told["answers"]:
            if isinstance(results, list):
                results = {"load": results}
            for way, result in results.items():
                rows = reads.setdefault(f"{structure} | {format} | {way}", {})
                row = rows.setdefault(writer, ["-"] * len(names))
                row[names.index(reader)] = word(result, messages)
    return {
        "schema": SCHEMA,
        "code": fingerprint(),
        "tolerance": tolerance,
        "versions": {name: told["installed"] for name, told in found.items()},
        "messages": list(messages),
        "written": wrote,
        "read": {
            key: {writer: rows[writer] for writer in names if writer in rows}
            for key, rows in sorted(reads.items())
        },
    }


def save(record: dict, path: Path = RECORD) -> None:
    """Write the record, a line a row, as a whole or not at all."""

    def rows(named: dict, indent: str) -> str:
        each = [f"{indent} {json.dumps(k)}: {json.dumps(v)}" for k, v in named.items()]
        return "{\n" + ",\n".join(each) + f"\n{indent}}}"

    cells = [
        f"  {json.dumps(name)}: {rows(row, '  ')}"
        for name, row in record["read"].items()
    ]
    messages = [f"  {json.dumps(m, ensure_ascii=False)}" for m in record["messages"]]
    parts = {key: json.dumps(record[key]) for key in ("schema", "code", "tolerance")}
    parts |= {
        "versions": rows(record["versions"], " "),
        "messages": "[\n" + ",\n".join(messages) + "\n ]",
        "written": rows(record["written"], " "),
        "read": "{\n" + ",\n".join(cells) + "\n }",
    }
    text = ",\n".join(f' "{name}": {value}' for name, value in parts.items())
    temporary = path.with_suffix(".new")
    temporary.write_text("{\n" + text + "\n}\n", "utf-8")
    temporary.replace(path)


def main(again: bool = False) -> None:
    """Have all versions write and read what they have not, and write the record."""
    names = [pair.name for pair in PAIRS]
    place = hashlib.sha256(" ".join([fingerprint(), *names]).encode()).hexdigest()
    work = ROOT / ".cache" / "files" / place[:12]
    if again:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)

    def write(pair: Pair) -> list:
        return named(exchange(pair, "write", [pair.name], work), [pair.name])

    def read(pair: Pair) -> dict:
        told = matrix.installed(python(pair))
        answers = named(exchange(pair, "read", names, work), names)
        told["date"] = datetime.date.today().isoformat()
        return {"installed": told, "answers": answers}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        written = dict(zip(names, pool.map(write, PAIRS), strict=True))
        found = dict(zip(names, pool.map(read, PAIRS), strict=True))
    script = (FOLDER / "__main__.py").read_text("utf-8")
    tolerance = float(re.search(r"^TOLERANCE = (\S+)", script, re.M)[1])
    save(compose(written, found, tolerance))
