"""The tables of files across versions, made from the record of `files.py`."""

from itertools import groupby

from tests.versions import environments, files

TABLE = environments.ROOT / "snippets" / "reference" / "file-versions.md"

MODEL = {"load_model": "M", "load_model, compile=False": "m"}
RENAMED = {"renamed .h5, load_model": "R"}
WEIGHTS = {"load_weights": "W"}
UNPACKED = {"unzip, load_weights": "U", "renamed, load_weights": "U"}
SAVED = {"load_model": "M", "TFSMLayer": "L", "signature": "S"}
NAMED = {"load_checkpoint": "N"}
SECTIONS = {
    "keras": (".keras", {**MODEL, **RENAMED, **WEIGHTS, **UNPACKED}),
    "short": (".keras, defaults removed", {**MODEL, **WEIGHTS, **UNPACKED}),
    "h5": (".h5", {**MODEL, **WEIGHTS}),
    "weights": (".weights.h5", WEIGHTS),
    "weights-2": ("weights .h5", WEIGHTS),
    "shards": ("shards", WEIGHTS),
    "export": ("SavedModel, export", SAVED),
    "saved": ("SavedModel, save", SAVED),
    "checkpoint": ("Checkpoint", {"read": "C", **NAMED}),
    "weights-tf": ("weights, TensorFlow format", {**WEIGHTS, "read": "C", **NAMED}),
}
"""By name of the section: the format, and its ways to read, the best one first."""

WRONG, NONE = "!", "–"
NAMES = [pair.name for pair in files.PAIRS]


def short(name: str) -> str:
    """Return a pair as tables name it: ``3.13``, or ``tf_keras``."""
    keras = name.rpartition("+")[2]
    return "tf_keras" if keras.startswith("tf_keras") else keras.rpartition(".")[0]


def label(names: list[str]) -> str:
    """Return some neighbors as tables name them: ``2.15, tf_keras, 3.0–3.9``."""
    told = [short(name) for name in names]
    threes = [one for one in told if one.startswith("3.")]
    if len(threes) > 1:
        told = told[: -len(threes)] + [f"{threes[0]}–{threes[-1]}"]
    return ", ".join(told)


def structures(record: dict) -> list[str]:
    """Return the models that were written."""
    return list(dict.fromkeys(key.partition(" | ")[0] for key in record["written"]))


def cells(record: dict, structure: str, format: str, ways: dict[str, str]) -> dict:
    """Return the mark of each reader, by writer.

    It is that of the best way, with an exclamation mark if a way beside it loads
    something else without an exception.
    """
    found = {}
    for writer in NAMES:
        rows = {
            way: record["read"].get(f"{structure} | {format} | {way}", {}).get(writer)
            for way in ways
        }
        if not any(rows.values()):
            continue
        marks = []
        for at in range(len(NAMES)):
            words = {way: row[at] for way, row in rows.items() if row}
            good = [ways[way] for way, word in words.items() if word == "="]
            wrong = any(word.startswith("wrong") for word in words.values())
            marks.append((good[:1] or [NONE])[0] + WRONG * wrong)
        found[writer] = [mark.replace(NONE + WRONG, WRONG) for mark in marks]
    return found


def grid(marks: dict[str, list[str]]) -> list[str]:
    """Return a table, in which neighbors that are equal share a row or a column."""
    columns = list(zip(*marks.values(), strict=True))
    heads = [
        list(group) for _, group in groupby(range(len(NAMES)), columns.__getitem__)
    ]
    head = [label([NAMES[at] for at in group]) for group in heads]
    if len(heads) == 1:
        head = ["all"]
    lines = [
        "| written by | " + " | ".join(head) + " |",
        "|---" * (len(head) + 1) + "|",
    ]
    for _, group in groupby(marks, lambda writer: marks[writer]):
        writers = list(group)
        row = [marks[writers[0]][group[0]] for group in heads]
        lines.append(f"| **{label(writers)}** | " + " | ".join(row) + " |")
    return lines


def section(record: dict, format: str, ways: dict[str, str]) -> list[str]:
    """Return the tables of a format, one for all models that do the same."""
    lines, each = [], {}
    for structure in structures(record):
        marks = cells(record, structure, format, ways)
        if marks:
            each.setdefault(repr(marks), (marks, []))[1].append(structure)
    for marks, equal in each.values():
        told = {"Sequential": "flat Sequential", "nested": "functional, a model inside"}
        names = "; ".join(told.get(name, name) for name in equal)
        if len(equal) == len(structures(record)):
            names = "all three models"
        lines += [f"*{names[0].upper()}{names[1:]}*", "", *grid(marks), ""]
    return lines


def routes(record: dict) -> list[str]:
    """Return a table of ways: for how many pairs all arrays were equal."""
    names = structures(record)
    lines = ["| file | read with | " + " | ".join(names) + " |"]
    lines.append("|---" * (len(names) + 2) + "|")
    for format, ways in SECTIONS.values():
        for way in ways:
            row = []
            for structure in names:
                key = f"{structure} | {format} | "
                rows = record["read"].get(key + way, {})
                words = [word for line in rows.values() for word in line]
                files_there = len(
                    {
                        w
                        for k in record["read"]
                        if k.startswith(key)
                        for w in record["read"][k]
                    }
                )
                total = files_there * len(NAMES)
                good = words.count("=")
                text = f"{good} of {total}" if total else NONE
                row.append(f"**all {total}**" if good == total > 0 else text)
            lines.append(f"| {format} | {way} | " + " | ".join(row) + " |")
    return lines


def wrong(record: dict) -> list[str]:
    """Return a table of what loads without an exception and is not what was saved."""
    lines = ["| file, way | model | written by | read by | differ | noticed |"]
    lines.append("|---|---|---|---|---|---|")
    for key, rows in record["read"].items():
        structure, format, way = key.split(" | ")
        found = {}
        for writer, words in rows.items():
            for reader, word in zip(NAMES, words, strict=True):
                if word.startswith("wrong"):
                    found.setdefault(word, {}).setdefault(writer, []).append(reader)
        for word, by in found.items():
            for readers, group in groupby(by, by.get):
                _, differ, others, *more = word.split()
                told = {"!": "yes", "?": "**no**"}.get(more[-1] if more else "", NONE)
                lines.append(
                    f"| {format}, {way} | {structure} | {label(list(group))} | "
                    f"{label(readers)} | {differ.replace('/', ' of ')}, {others} | "
                    f"{told} |"
                )
    return lines


def versions(record: dict) -> list[str]:
    """Return a table of what was installed, and of the days."""
    lines = ["| Keras | TensorFlow | NumPy | run on |", "|---|---|---|---|"]
    for pair in files.PAIRS:
        told = record["versions"][pair.name]
        title = pair.title.removeprefix("Keras ")
        lines.append(
            f"| {title} | {pair.tensorflow} | {told['numpy']} | {told['date']} |"
        )
    return lines


def text() -> str:
    """Return all tables as sections of Markdown."""
    record = files.load()
    parts = {"versions": versions(record), "routes": routes(record)}
    for name, (format, ways) in SECTIONS.items():
        parts[name] = section(record, format, ways)
    parts["wrong"] = wrong(record)
    lines = ["<!-- Written by make versions. -->", ""]
    for name, part in parts.items():
        lines += [f"<!-- --8<-- [start:{name}] -->", *part]
        lines += [f"<!-- --8<-- [end:{name}] -->", ""]
    return "\n".join(lines)


def write() -> None:
    """Write the tables."""
    TABLE.write_text(text(), "utf-8")
