"""Every message has its entry in the index, and every entry a block that raises it.

The outputs in the pages are what the blocks print: the tests of the pages prove that.
"""

import ast
import functools
import posixpath
import re
from typing import NamedTuple

import nbformat
from markdown.extensions.toc import slugify

from tests.conftest import report
from tests.test_house import of_kind
from tests.test_site import DOCS, NOTEBOOKS, ROOT, TOOL_FILES, read_page

INDEX, OLD_INDEX = "docs/reference/messages.md", "docs/reference/old-messages.md"
OLD = "Not raised today"
VARIABLE = "…"

# What an exception or a warning is called, in front of its message.
CLASS = r"(?:[A-Z]\w*(?:Error|Exception|Warning)|BadZipFile|WARNING:\w+)"
# A page may leave out how a message begins: "ValueError: ... expected 4 variables".
MESSAGE = re.compile(rf"(?<![\w.])({CLASS}): ?(?:\.\.\. )?(?:\n *)?(\S.*)")
# Whether a message holds some words is no message.
NO_MESSAGE = re.compile(r"(True|False)$")
CODE = re.compile(r"(`+) ?(.+?) ?\1")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```")


class Entry(NamedTuple):
    """A message of the index: where it stands, what it says, what it links to."""

    where: str
    group: str
    message: str
    text: str

    @property
    def links(self) -> list[tuple[str, str]]:
        """Return the pages, and the headings on them, that the entry links to."""
        found = []
        for target in LINK.findall(self.text):
            if "://" in target:  # a report
                continue
            path, _, anchor = target.partition("#")
            folder = posixpath.dirname(INDEX)
            found.append((posixpath.normpath(posixpath.join(folder, path)), anchor))
        return found

    @property
    def said(self) -> str:
        """Return what finds the words of the message, whatever its variable parts."""
        words = re.sub(rf"^{CLASS}: ?", "", self.message).removeprefix(VARIABLE)
        parts = re.split(rf" ?{VARIABLE} ?", words.strip())
        return r".*?".join(map(re.escape, parts)).replace(r"\ ", r"\s+")

    @property
    def pattern(self) -> re.Pattern:
        """Return what finds the message, with its class, in an output."""
        kind = re.match(rf"{CLASS}:", self.message)
        if kind is None:
            return re.compile(self.said)
        # How it begins may vary, but it does not go on to another message.
        varies = rf"{kind[0]} {VARIABLE}" in self.message
        skipped = rf"(?:(?!{CLASS}:).|\n)*?" if varies else r"(?:\.\.\. )?"
        return re.compile(rf"(?<![\w.]){kind[0]}\s*{skipped}{self.said}")


def entries(index: str) -> list[Entry]:
    """Return the entries of an index: a message in code, and below it its cause."""
    found, group = [], ""
    lines = (ROOT / index).read_text("utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith("## "):
            group = line[3:].partition(" {")[0]
        code = CODE.fullmatch(line.strip())
        if code and lines[number : number + 1] and ":   " in lines[number]:
            text = lines[number].strip().removeprefix(":   ")
            for more in lines[number + 1 :]:
                if not more.strip():
                    break
                text += " " + more.strip()
            found.append(Entry(f"{index}:{number}", group, code[2], text))
    return found


def plain(heading: str) -> str:
    """Return the text of a heading, without marks of code and of escapes."""
    return re.sub(r"\\(.)", r"\1", CODE.sub(r"\2", heading))


@functools.cache
def headings(name: str) -> list[tuple[int, str, str]]:
    """Return line, id and text of each heading of a page."""
    found, ids, fenced = [], set(), False
    lines = (ROOT / name).read_text("utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        fenced ^= bool(FENCE.match(line))
        heading = re.match(r"#+ (.*?)(?: *\{ *#([\w-]+) *\})?$", line)
        if fenced or not heading:
            continue
        text = plain(heading[1])
        own = anchor = heading[2] or slugify(text, "-")
        count = 0
        while anchor in ids:
            count += 1
            anchor = f"{own}_{count}"
        ids.add(anchor)
        found.append((number, anchor, heading[1]))
    return found


@functools.cache
def outputs(name: str) -> list[tuple[int, str]]:
    """Return the first line, and the text, of the output of each block of a page."""
    blocks = read_page(name).blocks
    return [(block.output_lines[0], block.output) for block in blocks if block.output]


def section(name: str, anchor: str) -> list[str]:
    """Return the outputs below a heading, to the next heading that follows one."""
    (start,) = [line for line, this, _ in headings(name) if this == anchor]
    below = [(line, text) for line, text in outputs(name) if line > start]
    first = below[0][0] if below else start
    ends = [line for line, _, _ in headings(name) if line > first]
    return [text for line, text in below if line < min(ends, default=line + 1)]


def fences(name: str) -> list[tuple[int, str]]:
    """Return line and text of each block of text on a page, or output of a notebook."""
    if name.endswith(".ipynb"):
        cells = nbformat.read(ROOT / name, as_version=4).cells
        shown = [o for cell in cells for o in cell.get("outputs", [])]
        return [(1, str(o.get("text") or o.get("traceback") or "")) for o in shown]
    found, text, start = [], None, 0
    lines = (ROOT / name).read_text("utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if text is not None and FENCE.match(line):
            found.append((start, "\n".join(text)))
            text = None
        elif text is not None:
            text.append(line)
        elif re.match(r" *```(text|console)\b", line):
            start, text = number + 1, []
    return found


def messages(name: str) -> list[tuple[int, str, str]]:
    """Return each message that a page prints: its line, the message, and the output."""
    found = []
    for start, text in fences(name):
        for match in MESSAGE.finditer(text):
            if not NO_MESSAGE.match(match[2]):
                line = start + text.count("\n", 0, match.start())
                found.append((line, match[0], text[match.start() :]))
    return found


INDEXED = entries(INDEX) + entries(OLD_INDEX)
RAISED = [entry for entry in INDEXED if entry.group != OLD]
AGED = [entry for entry in INDEXED if entry.group == OLD]
PAGES = [path.relative_to(ROOT).as_posix() for path in DOCS + NOTEBOOKS]


def test_each_entry_leads_to_a_block_that_raises_its_message():
    problems = []
    for entry in RAISED:
        if not entry.links:
            problems.append(f"{entry.where}: link to the heading that raises it")
        for name, anchor in entry.links:
            if name not in PAGES or anchor not in [i for _, i, _ in headings(name)]:
                problems.append(f"{entry.where}: {name} has no heading #{anchor}")
            elif not any(map(entry.pattern.search, section(name, anchor))):
                problems.append(
                    f"{entry.where}: no output below {name}#{anchor} says "
                    f"{entry.message!r}. Quote what it says, with … for what varies, "
                    "or link to the heading that raises it"
                )
    report(problems)


def test_each_message_on_a_page_has_an_entry():
    report(
        f"{name}:{line}: {INDEX} has no entry for {message!r}. Write one: the message "
        "in code font, and below it the cause with a link to its heading here"
        for name in PAGES
        for line, message, text in messages(name)
        if not any(entry.pattern.match(text) for entry in RAISED)
    )


# Pages that print a part of what an exception says, and not as a message.
PARTS = {
    "docs/train/nan-and-inf.md": "when it stopped, as a column",
    "docs/trouble/code-differs/left-over.md": "the name of the array",
}


def words_of_errors(code: str) -> list[int]:
    """Return the lines of code that use what an exception or a warning says."""
    found = []
    # Whether it holds some words is no message.
    tree = ast.parse(code)
    compared = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "message":
            found.append(node)
        if not isinstance(node, ast.ExceptHandler) or node.name is None:
            continue
        inside = [child for part in node.body for child in ast.walk(part)]
        kinds = {
            id(argument)
            for call in inside
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "type"
            for argument in call.args
        }
        found += [
            child
            for child in inside
            if isinstance(child, ast.Name)
            and child.id == node.name
            and id(child) not in kinds
        ]
    return [node.lineno for node in found if id(node) not in compared]


def test_what_is_printed_without_its_class_has_an_entry_too():
    problems = []
    for name in [p for p in PAGES if p.endswith(".md") and p not in PARTS]:
        lines = [
            f"{block.where} (line {line} of the block)"
            for block in read_page(name).blocks
            if block.script not in TOOL_FILES
            for line in words_of_errors(block.code)
        ]
        said = [text for _, text in outputs(name)]
        if lines and not any(e.pattern.search(text) for e in RAISED for text in said):
            problems.append(
                f"{lines[0]}: prints what an exception says, and {INDEX} has none of "
                "it. Print its class and a colon before it, and write an entry"
            )
    report(problems)


def is_message(heading: str) -> bool:
    """Return whether a heading is a message: with its class, or all of it in code."""
    whole = CODE.fullmatch(heading)
    return bool(re.match(rf"{CLASS}:", heading) or (whole and " " in whole[2]))


def test_each_heading_that_is_a_message_has_an_entry():
    problems = []
    for name in of_kind("trap", "symptom"):
        lines = (ROOT / name).read_text("utf-8").splitlines()
        mine = [entry for entry in RAISED if name in dict(entry.links)]
        for line, anchor, text in headings(name):
            if not lines[line - 1].startswith("### ") or not is_message(text):
                continue
            if not any(
                (name, anchor) in entry.links or re.search(entry.said, plain(text))
                for entry in mine
            ):
                problems.append(
                    f"{name}:{line}: {INDEX} has no entry for this message. Write one "
                    f"with a link to #{anchor}"
                )
    report(problems)


def test_messages_of_older_versions_name_them_and_are_not_raised_today():
    problems = []
    for entry in AGED:
        if not re.search(r"(TensorFlow|Keras) \d", entry.text):
            problems.append(f"{entry.where}: say which version raised it")
        known = [
            name in PAGES and a in [i for _, i, _ in headings(name)]
            for name, a in entry.links
        ]
        if not all(known) or not any(section(*link) for link in entry.links):
            problems.append(f"{entry.where}: link to the heading of what runs today")
        problems += [
            f"{entry.where}: {name}:{line} prints it today, so it belongs to {INDEX}"
            for name in PAGES
            for line, text in fences(name)
            if entry.pattern.search(text)
        ]
    report(problems)


def test_no_message_is_listed_twice():
    known = [entry.message for entry in INDEXED]
    report(
        f"{entry.where}: {entry.message!r} is listed twice: join the causes"
        for entry in INDEXED
        if known.count(entry.message) > 1
    )
