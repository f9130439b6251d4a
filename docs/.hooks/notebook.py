"""Give notebook pages the markup that Markdown pages have.

mkdocs-jupyter puts a style sheet of half a megabyte, scripts and JupyterLab's own
markup into each page. This hook keeps the content and drops the rest, so that the
theme's colors, copy button, dark mode, search and table of contents apply. It only
decorates: without it the page is heavy and foreign, but complete.
"""

import base64
import logging
import posixpath
import re
import urllib.parse

import nbformat
from bs4 import BeautifulSoup
from markdown.extensions.toc import nest_toc_tokens, slugify, unique
from mkdocs.structure.toc import get_toc
from pymdownx.highlight import Highlight

log = logging.getLogger("mkdocs.hooks.notebook")

HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
TEXT = "jp-RenderedText"
SVG_URI = "data:image/svg+xml;base64,"


def on_page_content(html, page, config, files):
    """Rewrite the page of a notebook; called by MkDocs for every page."""
    if not page.file.src_uri.endswith(".ipynb"):
        return html
    notebook = nbformat.read(page.file.abs_src_path, as_version=4)
    language = notebook.metadata.get("kernelspec", {}).get("language", "python")
    sources = [cell for cell in notebook.cells if cell.cell_type == "code"]
    rendered = BeautifulSoup(html, "html.parser")
    cells = [c for c in rendered.select(".jp-Cell") if not c.select(".jp-Cell")]
    code_cells = [c for c in cells if "jp-CodeCell" in c["class"]]
    if len(code_cells) != len(sources):
        log.warning(
            "%s: %d code cells, %d of them rendered",
            page.file.src_uri,
            len(sources),
            len(code_cells),
        )
        return html

    body = BeautifulSoup("", "html.parser")
    remaining = iter(sources)
    for cell in cells:
        if "jp-CodeCell" not in cell["class"]:
            for text in cell.select(".jp-RenderedMarkdown"):
                _extend(body, text)
            continue
        source = next(remaining)
        if source.source.strip():
            _extend(body, _code_block(source.source, language))
        outputs = [_output(o, body) for o in cell.select(".jp-OutputArea-output")]
        _describe_figures([i for o in outputs for i in o.select("img")], source, page)
        body.extend(outputs)

    _tidy(body, page)
    _resolve_links(body, page, files)
    _anchor_headings(body, page, config)
    return str(body)


def _extend(body, parent):
    for child in list(parent.children):
        body.append(child.extract())


def _code_block(source, language):
    """The block that a fence with this source gets on a Markdown page."""
    highlight = Highlight(None, pygments_lang_class=True, stripnl=False)
    block = highlight.highlight(source, language, classes=["notebook-input"])
    return BeautifulSoup(block, "html.parser")


def _output(output, body):
    if TEXT not in output["class"]:
        box = body.new_tag("div", attrs={"class": "notebook-output"})
        _extend(box, output)
        return box
    block = body.new_tag(
        "div", attrs={"class": "language-text highlight notebook-output"}
    )
    if output.get("data-mime-type") == "application/vnd.jupyter.stderr":
        block["class"] += " notebook-stderr"
    pre, code = body.new_tag("pre"), body.new_tag("code")
    block.append(pre)
    pre.append(body.new_tag("span"))
    pre.append(code)
    for text in output.select("pre"):
        _extend(code, text)
    return block


def _describe_figures(figures, source, page):
    """Alternative texts come from the cell's metadata: one text or a list of them."""
    texts = source.metadata.get("alt", [])
    texts = [texts] if isinstance(texts, str) else list(texts)
    if len(texts) != len(figures):
        log.warning(
            "%s: a cell shows %d figures and describes %d in its metadata 'alt': %.60r",
            page.file.src_uri,
            len(figures),
            len(texts),
            source.source,
        )
    for image, text in zip(figures, texts, strict=False):
        image["alt"] = text
    for image in figures:
        if not image["src"].startswith(SVG_URI):
            continue
        svg = base64.b64decode(image["src"].removeprefix(SVG_URI)).decode()
        svg = svg[svg.index("<svg") :]
        # Percent-encoding compresses to half of what base64 does.
        image["src"] = "data:image/svg+xml," + urllib.parse.quote(svg, safe=" =:/,;()'")
        image["class"] = "notebook-svg"
        if size := re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg):
            # Points to pixels; the browser reserves the place before it decodes.
            points = (float(number) for number in size.groups())
            image["width"], image["height"] = (round(n * 4 / 3) for n in points)


def _tidy(body, page):
    for tag in body.select("style, script"):
        if tag.name == "script":
            log.warning("%s: a script is left out", page.file.src_uri)
        tag.decompose()
    for table in body.select("table"):
        # The theme leaves tables with a class alone.
        for tag in [table, *table.find_all(True)]:
            for name in ("class", "border", "style"):
                tag.attrs.pop(name, None)
        for header in table.select("th"):
            if not header.get_text(strip=True):
                header.name = "td"
    for pre in body.select(".highlight:not([class*=language-]) > pre"):
        # Fences in Markdown cells lack the element that the copy button looks for.
        code = body.new_tag("code")
        _extend(code, pre)
        pre.append(code)


def _resolve_links(body, page, files):
    """Links to source files become links to pages, as MkDocs does for Markdown."""
    for tag in body.select("a[href]:not(.anchor-link), img[src]"):
        name = "href" if tag.name == "a" else "src"
        url = urllib.parse.urlsplit(tag[name])
        if url.scheme or url.netloc:
            continue
        folder = posixpath.dirname(page.file.src_uri)
        path = posixpath.join(folder, urllib.parse.unquote(url.path))
        target = files.get_file_from_path(posixpath.normpath(path))
        if not url.path:
            target = page.file
        if target is None:
            log.warning(
                "%s contains a link '%s', but there is no such file",
                page.file.src_uri,
                tag[name],
            )
            continue
        if url.fragment:
            # MkDocs checks these against the ids of the other page.
            links = page.links_to_anchors or {}
            links.setdefault(target, {}).setdefault(url.fragment, tag[name])
            page.links_to_anchors = links
        if target is not page.file:
            path = target.url_relative_to(page.file)
            tag[name] = url._replace(path=path).geturl()


def _anchor_headings(body, page, config):
    """One id for the heading, the table of contents and links from other pages."""
    toc = config.mdx_configs.get("toc", {})
    tokens, ids = [], set()
    for heading in body.find_all(HEADINGS):
        for link in heading.select(".anchor-link"):
            link.decompose()
        name = heading.get_text().strip()
        heading["id"] = unique(slugify(name, "-"), ids)
        tokens.append(
            {
                "level": int(heading.name[1]),
                "id": heading["id"],
                "name": heading.decode_contents(),
            }
        )
        if len(tokens) == 1 and heading.name == "h1":
            page.title = name
        if toc.get("permalink"):
            link = body.new_tag(
                "a", attrs={"class": "headerlink", "href": f"#{heading['id']}"}
            )
            link["title"] = toc.get("permalink_title", "Permanent link")
            link.string = "¶"
            heading.append(link)
    page.toc = get_toc(nest_toc_tokens(tokens))
    page.present_anchor_ids = ids
