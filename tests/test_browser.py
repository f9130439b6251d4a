"""What only a browser can tell: each page in both color schemes and on a phone."""

import gzip
import json
import urllib.parse
from pathlib import Path
from xml.etree import ElementTree

import axe_playwright_python
import nbformat
import pytest

pytestmark = pytest.mark.browser

DOCS = Path(__file__).parents[1] / "docs"
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES = {"light": "default", "dark": "slate"}
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
COMPRESSED = ("text/", "javascript", "json", "xml", "svg")
# In bytes, compressed. What all pages share is loaded once; a page's own part, the
# document and its figures, grows with what it has to say.
SHARED_BUDGET = 65_000
PAGE_BUDGET = 25_000
NOTEBOOK_BUDGET = 120_000

# What looks at colors runs in each scheme, everything else once. Both without the
# contrast of code: tokens take axe most of the time, and it leaves out those scrolled
# out of their box.
COLOR_RULES = ["color-contrast", "link-in-text-block"]
AXE_COLORS = ('{ exclude: [".highlight pre"] }', {"runOnly": COLOR_RULES})
AXE_REST = (
    "document",
    {"runOnly": RULES, "rules": {rule: {"enabled": False} for rule in COLOR_RULES}},
)
# This looks at every token. Colors are painted over each other on a canvas, because a
# computed style may be translucent.
LOW_CONTRAST = """() => {
  const canvas = document.createElement("canvas")
  canvas.width = canvas.height = 1
  const context = canvas.getContext("2d", { willReadFrequently: true })
  const luminances = new Map()
  const luminance = (colors) => {
    const key = colors.join()
    if (!luminances.has(key)) {
      for (const color of colors) {
        context.fillStyle = color
        context.fillRect(0, 0, 1, 1)
      }
      const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((value) => {
        const c = value / 255
        return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
      })
      luminances.set(key, 0.2126 * r + 0.7152 * g + 0.0722 * b)
    }
    return luminances.get(key)
  }
  const backgrounds = new Map()
  const behind = (node) => {
    if (!node) return []
    if (!backgrounds.has(node)) {
      const own = getComputedStyle(node).backgroundColor
      backgrounds.set(node, [...behind(node.parentElement), own])
    }
    return backgrounds.get(node)
  }
  const low = new Map()
  for (const token of document.querySelectorAll(".highlight code, .highlight span")) {
    if (!token.textContent.trim() || token.closest(".md-annotation")) continue
    const style = getComputedStyle(token)
    const paint = behind(token)
    const pair = [luminance(paint), luminance([...paint, style.color])]
    const [dark, light] = pair.sort((a, b) => a - b)
    const ratio = (light + 0.05) / (dark + 0.05)
    if (ratio < 4.5) {
      low.set(
        token.className,
        `token '${token.className}' ${token.textContent.slice(0, 20)} has a contrast ` +
          `of ${ratio.toFixed(2)}:1`,
      )
    }
  }
  return [...low.values()]
}"""

# The element that reaches furthest and is not cut off by a box that scrolls.
WIDEST = """() => {
  const clipped = (node) => {
    for (let box = node; (box = box.parentElement) && box.tagName !== "ARTICLE"; ) {
      if (getComputedStyle(box).overflowX !== "visible") return true
    }
    return false
  }
  const right = (node) => node.getBoundingClientRect().right
  const nodes = [...document.querySelectorAll("article *")].filter((n) => !clipped(n))
  const widest = nodes.reduce((a, b) => (right(b) > right(a) ? b : a), nodes[0])
  return widest ? widest.outerHTML.slice(0, 120) : "the page's frame"
}"""


def axe(page, scope, options):
    """Return the violations that axe finds in a part of a page."""
    options = json.dumps(options | {"resultTypes": ["violations"]})
    return page.evaluate(f"axe.run({scope}, {options})")["violations"]


def visit(context, url):
    """Open a page with a cold cache and note what it does."""
    page = context.new_page()
    errors, requests, responses = [], [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.on("request", lambda request: requests.append(request.url))
    page.on("requestfailed", lambda request: errors.append(f"failed: {request.url}"))
    page.on("response", lambda response: responses.append(response))
    page.goto(url, wait_until="networkidle")

    own, shared = 0, 0
    for response in responses:
        if response.status >= 400:
            errors.append(f"{response.status} for {response.url}")
        elif not response.url.startswith("data:"):
            body = response.body()
            kind = response.headers.get("content-type", "")
            compressed = any(name in kind for name in COMPRESSED)
            size = len(gzip.compress(body) if compressed else body)
            if response.request.resource_type in ("document", "image"):
                own += size
            else:
                shared += size

    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations, low_contrast = axe(page, *AXE_REST), []
    for scheme, name in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        page.locator(f"body[data-md-color-scheme={name}]").wait_for()
        page.evaluate("Promise.all(document.getAnimations().map((a) => a.finished))")
        for violation in axe(page, *AXE_COLORS):
            violations.append(violation | {"id": f"{violation['id']} ({scheme})"})
        low_contrast += [f"{low} ({scheme})" for low in page.evaluate(LOW_CONTRAST)]
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    return {
        "errors": errors,
        "requests": requests,
        "own": own,
        "shared": shared,
        "violations": violations,
        "low_contrast": low_contrast,
        "too_wide": page.evaluate(WIDEST) if width > PHONE["width"] else None,
        "width": width,
    }


@pytest.fixture(scope="module")
def paths(site):
    """Every page, relative to the root of the site."""
    tree = ElementTree.parse(site.path / "sitemap.xml")
    found = [loc.text.removeprefix(site.url) for loc in tree.iterfind(".//{*}loc")]
    built = list(site.path.rglob("index.html"))
    assert len(found) == len(built), "the sitemap does not list every page"
    return sorted(found)


@pytest.fixture(scope="module")
def notebooks(paths):
    """The source of each notebook by the path of its page."""
    sources = {
        source.relative_to(DOCS).with_suffix("").as_posix() + "/": source
        for source in DOCS.rglob("*.ipynb")
    }
    found = {path: sources[path] for path in paths if path in sources}
    assert found, "the site has no notebook page"
    return found


@pytest.fixture(scope="module")
def visits(browser, site, paths):
    """What each page did when it was opened."""
    found = {}
    for path in paths:
        # A context of its own has a cold cache, as has a reader from a search engine.
        context = browser.new_context(
            color_scheme="light", viewport=DESKTOP, reduced_motion="reduce"
        )
        context.set_default_timeout(10_000)
        found[path] = visit(context, site.url + path)
        context.close()
    return found


def report(problems):
    if problems := list(problems):
        pytest.fail("\n".join(["", *problems]), pytrace=False)


def test_axe_finds_nothing(visits):
    report(
        f"/{path}: {violation['id']} at {', '.join(map(str, node['target']))}: "
        + " ".join(node["failureSummary"].split())
        for path, seen in visits.items()
        for violation in seen["violations"]
        for node in violation["nodes"][:3]
    )


def test_code_is_readable(visits):
    report(
        f"/{path}: {low}"
        for path, seen in visits.items()
        for low in seen["low_contrast"]
    )


def test_no_errors(visits):
    report(
        f"/{path}: {error}" for path, seen in visits.items() for error in seen["errors"]
    )


def test_no_third_parties(visits, site):
    own = (site.url, "blob:" + site.url, "data:")
    report(
        f"/{path} asks {url}"
        for path, seen in visits.items()
        for url in seen["requests"]
        if not url.startswith(own)
    )


def test_weight_of_a_cold_visit(visits, notebooks):
    too_heavy = []
    for path, seen in visits.items():
        budgets = {"own": PAGE_BUDGET, "shared": SHARED_BUDGET}
        if path in notebooks:
            budgets = {"whole": NOTEBOOK_BUDGET}
        weights = seen | {"whole": seen["own"] + seen["shared"]}
        too_heavy += [
            f"/{path}: its {part} part weighs {weights[part]:,} bytes, over {budget:,}"
            for part, budget in budgets.items()
            if weights[part] > budget
        ]
    report(too_heavy)


def test_nothing_overflows_on_a_phone(visits):
    report(
        f"/{path} is {seen['width']} px wide at {PHONE['width']} px: {seen['too_wide']}"
        for path, seen in visits.items()
        if seen["too_wide"]
    )


@pytest.fixture
def page(browser):
    """A page for the tests that act as a reader does."""
    context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def test_copy_button_copies_the_code(page, site, paths, notebooks):
    for path in [next(p for p in paths if p not in notebooks), next(iter(notebooks))]:
        page.goto(site.url + path)
        block = page.locator(".language-python.highlight").first
        code = block.locator("pre > code").evaluate(
            """code => {
              const copy = code.cloneNode(true)
              copy.querySelectorAll(".md-annotation").forEach((note) => note.remove())
              return copy.textContent
            }"""
        )
        page.evaluate("navigator.clipboard.writeText('')")
        block.locator(".md-code__button[data-md-type=copy]").click()
        # The theme says so in a dialog when the clipboard is filled.
        page.get_by_text("Copied to clipboard").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.rstrip("\n") == code.rstrip("\n"), (
            f"/{path} copies something else"
        )


def test_search_finds_a_word(page, site):
    page.goto(site.url)
    page.locator(".md-search__input").click()
    dialog = page.get_by_role("dialog", name="Search")
    dialog.get_by_role("textbox").press_sequentially("moving")
    found = dialog.locator(".md-search-result__link mark").first
    found.wait_for()
    assert found.inner_text().lower() == "moving"


def test_click_changes_the_page_without_a_reload(page, site, paths):
    page.goto(site.url, wait_until="networkidle")
    page.evaluate("window.stays = true")
    page.locator(".md-footer__link--next").click()
    page.wait_for_url(lambda url: url != site.url)
    page.locator(".md-footer__link--prev").wait_for()
    path = urllib.parse.urlsplit(page.url).path.lstrip("/")
    assert path in paths
    assert page.evaluate("window.stays"), f"/{path} was loaded anew"
    labels = page.locator(".md-code__nav:not([role=none])")
    assert labels.count() == 0, f"site.js did not run for /{path}"


def test_notebook_shows_its_cells(page, site, notebooks):
    for path, source in notebooks.items():
        page.goto(site.url + path)
        cells = nbformat.read(source, as_version=4).cells
        code = [c.source.strip("\n") for c in cells if c.cell_type == "code"]
        shown = page.locator(".notebook-input pre > code").all_text_contents()
        assert [text.strip("\n") for text in shown] == [c for c in code if c], (
            f"/{path}"
        )
        for image in page.locator(".notebook-output img").all():
            alt = image.get_attribute("alt")
            width = image.evaluate("image => image.decode().then(() => image.width)")
            assert alt and width > 0, f"/{path}: figure {alt!r} is {width} px wide"


def test_notebook_contents_lead_to_headings(page, site, notebooks):
    for path in notebooks:
        page.goto(site.url + path)
        links = page.locator("[data-md-component=toc] a.md-nav__link")
        targets = set(links.evaluate_all("all => all.map((a) => a.hash.slice(1))"))
        headings = page.locator("article :is(h1, h2, h3, h4, h5, h6)[id]")
        ids = headings.evaluate_all("all => all.map((heading) => heading.id)")
        assert targets, f"/{path} has no table of contents"
        assert targets <= set(ids), f"/{path} lacks {sorted(targets - set(ids))}"
        assert len(ids) == len(set(ids)), f"/{path} uses an id twice"
