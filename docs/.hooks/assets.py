"""Correct the theme's search worker, and leave comments out of style sheet and script.

lunr, the index library in the worker, merges the states of its automaton by a key that
runs labels and numbers together: an edge "1" to state 2 reads as an edge to state 12.
Words with digits then lead into words that are not in the index, and every search that
reaches one of them throws.
"""

import logging
import re
from pathlib import Path

log = logging.getLogger("mkdocs.hooks.assets")

CORRECTION = """
lunr.TokenSet.prototype.toString = function () {
  const edges = Object.entries(this.edges).sort(([a], [b]) => (a < b ? -1 : 1))
  return edges.map(([label, { id }]) => label + id).concat(this.final).join()
}
"""


def on_post_build(config):
    """Rewrite three files of the built site; called by MkDocs when all is written."""
    assets = Path(config.site_dir, "assets")
    workers = list(assets.glob("javascripts/workers/search.*.min.js"))
    for worker in workers:
        with open(worker, "a", encoding="utf-8") as file:
            file.write(CORRECTION)
    if len(workers) != 1:
        log.warning("%d search workers in the theme, one was expected", len(workers))

    # Every first visit pays for them.
    sheet = assets / "site.css"
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
    sheet.write_text(re.sub(r"\s+", " ", text), "utf-8")
    script = assets / "site.js"
    text = re.sub(r"^ *//.*\n", "", script.read_text("utf-8"), flags=re.MULTILINE)
    script.write_text(text, "utf-8")
