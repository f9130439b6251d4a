"""Draw the picture of the page that leads from question to question to the cause.

It shows what the page says: its questions, and the causes that their answers link to.
"""

import html
import posixpath
import re
import textwrap
from typing import NamedTuple

from tests.test_site import ROOT

PAGE = ROOT / "docs" / "trouble" / "find-the-cause.md"
PICTURE = ROOT / "snippets" / "trouble" / "find_the_cause.svg"
LOOK, END = "look", "none"

ALT = (
    "Flowchart from top to bottom. First what you see, then nine questions. From each, "
    "yes leads down to the next one and no leads to the causes on its right. The last "
    "yes leads to: none of these."
)
# Units are pixels at 340 px, which is what a phone of 360 px leaves.
WIDTH, LEFT, RIGHT = 340, 142, 170
LINE, GAP, PAD = 17, 19, 8
QUESTION_COLUMNS, CAUSE_COLUMNS = 16, 24
STYLE = """
.md-typeset .finder { width: 100%; max-width: 18rem; margin: 1.4em 0 }
.finder svg { display: block }
.finder text { font: 13px var(--md-text-font-family); fill: currentcolor }
.md-content .md-typeset .finder a { text-decoration: none }
.finder a:hover text { text-decoration: underline }
.finder .box text { font-weight: 600 }
.finder rect { fill: var(--md-code-bg-color); stroke: var(--bn-line) }
.finder path { fill: none; stroke: var(--md-default-fg-color--light) }
.finder .word { fill: var(--md-default-fg-color--light) }
.finder a:focus-visible { outline-offset: 1px }
"""


class Answer(NamedTuple):
    """An item below a question: what is printed, and what it leads to."""

    label: str
    links: list[tuple[str, str]]

    @property
    def leads_on(self) -> bool:
        """Whether it leads to another part of the page."""
        return self.links[0][1].startswith("#")


class Step(NamedTuple):
    """A part of the page."""

    title: str
    anchor: str
    answers: list[Answer]


def steps() -> list[Step]:
    """Return the parts of the page, from what the reader sees to the end."""
    text = PAGE.read_text("utf-8")
    pieces = re.split(r"^## (.*) \{ #([\w-]+) \}\n", text, flags=re.MULTILINE)[1:]
    found = []
    for title, anchor, part in zip(
        pieces[::3], pieces[1::3], pieces[2::3], strict=True
    ):
        part = re.sub(r"^ *```.*?^ *```", "", part, flags=re.MULTILINE | re.DOTALL)
        part = part.partition("\n## ")[0]
        items = re.findall(r"^- (.*(?:\n  .*)*)", part, re.MULTILINE)
        items = [" ".join(item.split()) for item in items]
        answers = [
            Answer(item.partition(": ")[0], re.findall(r"\[([^]]+)\]\(([^)]+)\)", item))
            for item in items
        ]
        found.append(Step(title, anchor, answers))
    return found


def shown(answer: Answer, anchor: str) -> tuple[str, str]:
    """Return the words and the target of a cause in the picture."""
    if len(answer.links) > 3:
        return answer.label, f"#{anchor}"
    text, target = answer.links[0]
    # Code, such as the name of a function, keeps its case.
    words = text.replace("`", "")
    return words if text[0] == "`" else words[0].upper() + words[1:], address(target)


def address(target: str) -> str:
    """Return what the link to a source file is from the built page."""
    path, _, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join("..", path.removesuffix(".md")))
    return f"{path}/" + (f"#{anchor}" if anchor else "")


def text_at(x: int, y: int, lines: list[str]) -> str:
    """Return a text of several lines."""
    spans = [
        f'<tspan x="{x}" y="{y + LINE * i}">{html.escape(line)}{end}</tspan>'
        for i, line in enumerate(lines)
        for end in [" " if i < len(lines) - 1 else ""]
    ]
    return f"<text>{''.join(spans)}</text>"


def word_at(x: int, y: int, word: str) -> str:
    """Return what is written at an arrow."""
    return f'<text class="word" x="{x}" y="{y}">{word}</text>'


def linked(target: str, *parts: str, kind: str = "") -> str:
    """Return parts of the picture as a link."""
    kind = f' class="{kind}"' if kind else ""
    return f'<a xlink:href="{html.escape(target)}"{kind}>{"".join(parts)}</a>'


def drawn() -> str:
    """Return the picture."""
    parts, y, before, word = [], 1, None, None
    for step in steps():
        last = step.anchor == END
        lines = textwrap.wrap(step.title, 60 if last else QUESTION_COLUMNS)
        causes = []
        for answer in step.answers:
            if not answer.leads_on:
                words, target = shown(answer, step.anchor)
                causes.append((textwrap.wrap(words, CAUSE_COLUMNS), target))
        height = LINE * len(lines) + 2 * PAD
        beside = sum(LINE * len(words) + 5 for words, _ in causes)
        if before is not None:
            middle = LEFT // 2
            parts.append(f'<path d="M{middle} {before}V{y - 1}m-4-5 4 5 4-5"/>')
            parts.append(word_at(middle + 8, y - 6, word))
        width = WIDTH - 2 if last else LEFT
        box = f'<rect x="1" y="{y}" width="{width}" height="{height}" rx="5"/>'
        parts.append(
            linked(f"#{step.anchor}", box, text_at(10, y + PAD + 13, lines), kind="box")
        )
        before, word = y + height, "yes"
        if step.anchor == LOOK:
            word = "anything else"
        if causes:
            top = y + 4
            for words, target in causes:
                parts.append(linked(target, text_at(RIGHT + 8, top + 13, words)))
                parts.append(f'<path d="M{RIGHT - 6} {top + 9}h8"/>')
                bottom = top + 9
                top += LINE * len(words) + 5
            branch = y + 13
            parts.append(f'<path d="M{LEFT + 1} {branch}H{RIGHT - 6}V{bottom}"/>')
            if step.anchor != LOOK:
                parts.append(word_at(LEFT + 5, branch - 3, "no"))
        y += max(height, beside) + GAP
    size = f'viewBox="0 0 {WIDTH} {y - GAP + 2}"'
    return "\n".join(
        [
            '<figure class="finder" data-search-exclude>',
            f"<style>{STYLE}</style>",
            '<svg xmlns="http://www.w3.org/2000/svg" '
            f'xmlns:xlink="http://www.w3.org/1999/xlink" {size} role="group" '
            f'aria-label="{ALT}">',
            *parts,
            "</svg>",
            "</figure>",
            "",
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(drawn(), "utf-8")
