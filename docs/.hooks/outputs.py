"""Leave out of the built pages what only the tests read.

The comment that marks an output would end up in a paragraph of its own inside lists
and folded blocks, and part the output from its code.
"""

import re

MARK = re.compile(r"^[ \t]*<!--pytest-codeblocks:expected-output-->$", re.MULTILINE)


def on_page_markdown(markdown, page, config, files):
    """Remove the marks of outputs; called by MkDocs for every page."""
    return MARK.sub("", markdown)
