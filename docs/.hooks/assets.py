"""Put the site's own search in place of the theme's, and shorten what is loaded.

The theme ranks by how often the words stand in titles. search.js ranks in another way,
with the same index library, lunr, as MkDocs brings it. If this hook does not run, the
theme's search is there.
"""

import json
import logging
import re
from pathlib import Path

from mkdocs.contrib import search

log = logging.getLogger("mkdocs.hooks.assets")

# lunr merges the states of its automaton by a key that runs labels into numbers:
# an edge "1" to state 2 reads as an edge to state 12. Words with digits then lead into
# words that are not in the index, and a search that reaches one of them throws.
CORRECTION = """
lunr.TokenSet.prototype.toString = function () {
  const edges = Object.entries(this.edges).sort(([a], [b]) => (a < b ? -1 : 1))
  return edges.map(([label, { id }]) => label + id).concat(this.final).join()
}
"""


def on_post_build(config):
    """Rewrite files of the built site; called by MkDocs when all is written."""
    site = Path(config.site_dir)
    workers = list(site.glob("assets/javascripts/workers/search.*.min.js"))
    if len(workers) != 1:
        log.warning("%d search workers in the theme, one was expected", len(workers))
    lunr = Path(search.__file__).parent / "templates" / "search" / "lunr.js"
    own = Path(__file__).with_name("search.js")
    parts = [lunr.read_text("utf-8"), CORRECTION, own.read_text("utf-8")]
    for worker in workers:
        worker.write_text("".join(parts), "utf-8")

    # The index repeats the tags of a page with each of its sections.
    index = site / "search" / "search_index.json"
    sections = json.loads(index.read_text("utf-8"))
    for section in sections["docs"]:
        if "#" in section["location"]:
            section.pop("tags", None)
    index.write_text(json.dumps(sections, separators=(",", ":")), "utf-8")

    # Every first visit pays for them.
    sheet = site / "assets" / "site.css"
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
    sheet.write_text(re.sub(r"\s+", " ", text), "utf-8")
    script = site / "assets" / "site.js"
    text = re.sub(r"^ *//.*\n", "", script.read_text("utf-8"), flags=re.MULTILINE)
    script.write_text(text, "utf-8")
