"""What only a browser can tell: each page in both color schemes and on a phone."""

import gzip
import html
import json
import re
import string
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

# axe takes most of its time for colors, so it looks at them on one page. On all pages,
# and at each token of code, LOW_CONTRAST does.
COLOR_RULES = ["color-contrast", "link-in-text-block"]
AXE_COLORS = ('{ exclude: [".highlight pre"] }', {"runOnly": COLOR_RULES})
AXE_REST = (
    "document",
    {"runOnly": RULES, "rules": {rule: {"enabled": False} for rule in COLOR_RULES}},
)
# Texts with a contrast below 4.5. Colors are painted over each other on a canvas,
# because a computed style may be translucent.
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
    if (!node) return ["#fff"]
    if (!backgrounds.has(node)) {
      const own = getComputedStyle(node).backgroundColor
      backgrounds.set(node, [...behind(node.parentElement), own])
    }
    return backgrounds.get(node)
  }
  const low = new Map()
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const texts = new Set()
  while (walker.nextNode()) {
    if (walker.currentNode.data.trim()) texts.add(walker.currentNode.parentElement)
  }
  for (const text of texts) {
    if (!text.checkVisibility({ opacityProperty: true, visibilityProperty: true })) {
      continue
    }
    const style = getComputedStyle(text)
    const paint = behind(text)
    const pair = [luminance(paint), luminance([...paint, style.color])]
    const [dark, light] = pair.sort((a, b) => a - b)
    const ratio = (light + 0.05) / (dark + 0.05)
    if (ratio < 4.5) {
      const name = `${text.localName} '${text.className}'`
      const start = text.textContent.trim().slice(0, 20)
      low.set(name, `${name} ${start} has a contrast of ${ratio.toFixed(2)}:1`)
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

# Lines of code that do not fit into their box at the width of the window.
CUT = """() => [...document.querySelectorAll("article .language-python pre > code")]
  .filter((code) => code.scrollWidth > code.clientWidth)
  .map((code) => code.textContent.split("\\n"))
  .map((lines) => lines.reduce((a, b) => (b.length > a.length ? b : a)))"""

WITHOUT_TOKENS = """document.querySelectorAll(".highlight pre > code").forEach(
  (code) => { code.textContent = code.textContent }
)"""

# What has the focus, unless it can be seen or scrolled to.
UNSEEN = """() => {
  const focused = document.activeElement
  if (focused === document.body) return "end"
  const seen = (node) => {
    const { left, right, width, height } = node.getBoundingClientRect()
    const inside = width && height && left < innerWidth && right > 0
    return inside && node.checkVisibility({ visibilityProperty: true })
  }
  // The switch of the color scheme shows its focus on the label beside it.
  const shown = focused.matches(".md-option") ? focused.nextElementSibling : focused
  return seen(shown) ? "" : focused.outerHTML.slice(0, 120)
}"""

# How light the text of an element is: 0 is black, 1 is white.
LUMINANCE = """(selector) => {
  const { color } = getComputedStyle(document.querySelector(selector))
  const [r, g, b] = color.match(/[\\d.]+/g).map((value) => (value / 255) ** 2.2)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}"""


def axe(page, scope, options):
    """Return the violations that axe finds in a part of a page."""
    options = json.dumps(options | {"resultTypes": ["violations"]})
    return page.evaluate(f"axe.run({scope}, {options})")["violations"]


def visit(page, url):
    """Open a page with a cold cache and note what it does."""
    errors, requests, responses = [], [], []
    listeners = {
        "pageerror": lambda error: errors.append(str(error)),
        "console": lambda message: (
            errors.append(message.text)
            if message.type in ("error", "warning")
            else None
        ),
        "request": lambda request: requests.append(request.url),
        "requestfailed": lambda request: errors.append(f"failed: {request.url}"),
        "response": lambda response: responses.append(response),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    # As for a reader from a search engine.
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    page.goto(url)
    page.evaluate(
        "document.querySelectorAll('details').forEach((d) => (d.open = true))"
    )
    cut = page.evaluate(CUT)
    low_contrast = []
    for scheme, name in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        page.locator(f"body[data-md-color-scheme={name}]").wait_for()
        page.evaluate("Promise.all(document.getAnimations().map((a) => a.finished))")
        low_contrast += [f"{low} ({scheme})" for low in page.evaluate(LOW_CONTRAST)]
    # All that axe asks now is of the block, and it would look at each token.
    page.evaluate(WITHOUT_TOKENS)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = axe(page, *AXE_REST)
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")

    # Last, so that what is loaded in the background counts as well.
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
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    return {
        "errors": errors,
        "requests": requests,
        "own": own,
        "shared": shared,
        "violations": violations,
        "low_contrast": low_contrast,
        "cut": cut,
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
    # One page for all visits: a new one costs the browser as much as the visit.
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    found = {path: visit(page, site.url + path) for path in paths}
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


def test_text_is_readable(visits):
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


def test_no_line_of_code_is_cut(visits):
    report(
        f"/{path}: wider than its box at {DESKTOP['width']} px: {line}"
        for path, seen in visits.items()
        for line in seen["cut"]
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


def test_copied_commands_have_no_prompt(page, site, paths):
    page.goto(site.url)
    block = page.locator("article .highlight:has(.gp)").first
    command = block.locator("code").inner_text().strip().removeprefix("$ ")
    block.locator(".md-code__button[data-md-type=copy]").click()
    page.get_by_text("Copied to clipboard").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").strip() == command
    page.evaluate("navigator.clipboard.writeText('')")
    block.locator("code").click(click_count=3)
    page.keyboard.press("ControlOrMeta+C")
    assert page.evaluate("navigator.clipboard.readText()").strip() == command


def test_outputs_have_no_copy_button(page, site, paths, notebooks):
    for path in [next(p for p in paths if p not in notebooks), next(iter(notebooks))]:
        page.goto(site.url + path)
        # The theme adds the buttons of a block when it comes into view.
        for block in page.locator("article .language-python.highlight").all()[:3]:
            block.scroll_into_view_if_needed()
            block.locator(".md-code__button").first.wait_for()
        outputs = ".language-python + .language-text, .notebook-output"
        buttons = page.locator("article").locator(outputs).locator(".md-code__button")
        assert not [b for b in buttons.all() if b.is_visible()], f"/{path}"


def search(page, words):
    """Give words to the search field at once, as a paste does; return the dialog."""
    page.locator(".md-search__input").click()
    page.keyboard.insert_text(words)
    return page.get_by_role("dialog", name="Search")


def test_search_finds_a_word(page, site):
    page.goto(site.url)
    page.locator(".md-search__input").click()
    dialog = page.get_by_role("dialog", name="Search")
    dialog.get_by_role("textbox").press_sequentially("moving")
    found = dialog.locator(".md-search-result__link mark").first
    found.wait_for()
    assert found.inner_text().lower() == "moving"


def test_search_finds_what_is_pasted_with_the_mouse(page, site):
    page.goto(site.url)
    # The first words wait for the index; a paste into the field that searches does not.
    found = search(page, "orbax").locator(".md-search-result__link mark")
    found.get_by_text("orbax").first.wait_for()
    search(page, " moving")
    found.get_by_text("moving").first.wait_for(state="attached")


# Asks the worker as the site's pages do, one query after the other.
ASK_ALL = """async ([worker, docs, queries]) => {
  const { config, docs: sections } = await (await fetch(docs)).json()
  const search = new Worker(worker)
  const ask = (type, data) =>
    new Promise((resolve) => {
      search.addEventListener("message", ({ data }) => resolve(data), { once: true })
      search.postMessage({ type, data })
    })
  await ask(0, { config, docs: sections, options: { suggest: true } })
  const found = {}
  for (const query of queries) found[query] = (await ask(2, query)).data.items.length
  return found
}"""


# How many words lunr leaves out of every index.
STOP_WORDS = 119
# What the search would take for more than words.
SYNTAX = "\"'+-*^~: "
# What readers paste from their terminals and editors.
PASTED = [
    "ValueError: Layer 'bn' expected 4 variables, but received 0 variables during "
    "loading. Expected: ['gamma', 'beta', 'moving_mean', 'moving_variance']",
    "TypeError: <class '__main__.Net'> could not be deserialized properly. Please "
    "ensure that components that are Python object instances (layers, models, etc.)\n"
    "config={'module': None, 'class_name': 'Net'}.",
    'File "/home/me/train.py", line 12, in <module>\n    model.load_weights("a.h5")\n'
    "    ~~~~~~~~~~~~~~~~~~^^^^^^^^",
    "FAILED_PRECONDITION: checkpoints; Is a directory: perhaps your file is in a "
    "different file format? [Op:RestoreV2] title:none +text -tags",
    'model = keras.Sequential([keras.layers.BatchNormalization(momentum=0.99), "',
    "batch norm'",
    'it says "moving_mean and nothing else',
    "why does moving_mean stay 0?? ~ ^ * + - : -batch +norm momentum^0.9 load~2 *norm",
]


@pytest.fixture
def ask(page, site):
    """A function that puts queries to the search and counts the pages they find."""

    def ask(queries):
        # The pages wait for a reader who searches before they start the worker.
        page.goto(site.url + "?q=moving", wait_until="networkidle")
        thrown = []
        page.on("console", lambda message: thrown.append(message.text))
        [worker] = site.path.glob("assets/javascripts/workers/search.*.js")
        script = site.url + worker.relative_to(site.path).as_posix()
        index = site.url + "search/search_index.json"
        found = page.evaluate(ASK_ALL, [script, index, sorted(queries)])
        # The search answers what it cannot do with nothing, and a warning.
        report(text for text in thrown if text.startswith("Invalid query"))
        return found

    return ask


def test_every_word_of_the_site_can_be_searched(ask, site):
    index = json.loads((site.path / "search/search_index.json").read_text("utf-8"))
    texts = [section[part] for section in index["docs"] for part in ("title", "text")]
    texts = [re.sub(r"<[^>]+>", " ", text).lower() for text in texts]
    separator = re.compile(index["config"]["separator"])
    words = {word for text in texts for word in separator.split(text) if word}
    # The search follows every word that begins as the query does: longer ones than
    # these take ways that were taken.
    begun = {word[:end] for word in words for end in (1, 2, 3)}
    found = ask(words | begun)
    missing = sorted(word for word in words if not found[word])
    # These are on purpose: English words that the index leaves out.
    assert len(missing) <= STOP_WORDS, f"found nowhere: {missing}"
    for word in ["keras", "np", "enumerate"]:
        assert found[word], f"{word!r} is found nowhere"


def test_any_text_can_be_searched(ask, site):
    index = (site.path / "search/search_index.json").read_text("utf-8")
    texts = [html.unescape(section["text"]) for section in json.loads(index)["docs"]]
    signs = {run for text in texts for run in re.findall(r"[^\w\s]+", text)}
    # And what lunr reads as its syntax, in all pairs.
    signs |= set(string.punctuation) | {a + b for a in SYNTAX for b in SYNTAX}
    queries = {f"{run}orbax{run}jax {run} {run}" for run in signs} | set(PASTED)
    found = ask(queries | signs)
    report(f"finds nothing: {query}" for query in sorted(queries) if not found[query])


def test_a_click_downloads_the_tool_file(page, site):
    page.goto(site.url + "reference/bn-tools/")
    with page.expect_download() as download:
        page.locator("article a[href$='bn_tools.py']").first.click()
    assert download.value.suggested_filename == "bn_tools.py"
    file = Path(download.value.path())
    assert file.read_bytes() == (DOCS / "bn_tools.py").read_bytes()


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


def test_a_link_to_a_section_keeps_its_address(page, site):
    page.goto(site.url, wait_until="networkidle")
    title = page.locator("article h1").inner_text()
    links = page.locator("article a:not(.headerlink)[href*='/#']")
    for link in [links.first, links.last]:
        # Some way down the page, where another section is the current one.
        link.scroll_into_view_if_needed()
        page.mouse.wheel(0, 100)
        page.wait_for_timeout(300)
        left = page.evaluate("scrollY")
        before, target = page.url, link.evaluate("link => link.href")
        link.click()
        page.locator(f"article h1:not(:has-text({json.dumps(title)}))").wait_for()
        # The theme writes addresses late, when it has seen the page scroll.
        page.wait_for_timeout(1000)
        assert page.url == target
        section = page.locator("#" + urllib.parse.urlsplit(target).fragment)
        top = section.bounding_box()["y"]
        assert 0 <= top < DESKTOP["height"] / 2, f"{target} is {top} px down"
        page.go_back()
        page.wait_for_url(before)
        page.wait_for_timeout(1000)
        assert page.url == before
        assert abs(page.evaluate("scrollY") - left) < 50
        page.go_forward()
        page.wait_for_url(target)
        page.wait_for_timeout(1000)
        assert page.url == target
        assert abs(section.bounding_box()["y"] - top) < 50
        page.goto(site.url, wait_until="networkidle")


def test_print_from_dark_mode_is_dark_on_white(page, site, paths, notebooks):
    for path in [next(p for p in paths if p not in notebooks), next(iter(notebooks))]:
        page.goto(site.url + path)
        page.emulate_media(color_scheme="dark")
        page.locator("body[data-md-color-scheme=slate]").wait_for()
        page.emulate_media(media="print", color_scheme="dark")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        report(
            f"/{path}: {violation['id']} at {node['target']}: {node['failureSummary']}"
            for violation in axe(page, *AXE_COLORS)
            for node in violation["nodes"][:3]
        )
        report(f"/{path}: {low}" for low in page.evaluate(LOW_CONTRAST))
        assert page.evaluate(LUMINANCE, "article p") < 0.2, f"/{path}: light text"
        assert page.evaluate(LUMINANCE, "article .highlight code") < 0.2, f"/{path}"
        page.emulate_media(media="screen", color_scheme="light")


def test_what_is_closed_is_no_tab_stop(page, site):
    for viewport in [PHONE, DESKTOP]:
        page.set_viewport_size(viewport)
        page.goto(site.url, wait_until="networkidle")
        unseen = []
        for _ in range(500):
            page.keyboard.press("Tab")
            focused = page.evaluate(UNSEEN)
            if focused == "end":
                break
            unseen.append(focused)
        else:
            pytest.fail("the end of the page is not reached")
        report(f"{viewport['width']} px: {html}" for html in unseen if html)


def test_the_drawer_opens_to_the_keyboard(page, site):
    page.set_viewport_size(PHONE)
    page.goto(site.url)
    page.locator("label.md-header__button[for=__drawer]").click()
    page.locator(".md-sidebar--primary a.md-nav__link:visible").first.focus()
    assert page.evaluate(UNSEEN) == ""


def test_axe_finds_nothing_in_search_results(page, site):
    page.goto(site.url)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for viewport in [DESKTOP, PHONE]:
        page.set_viewport_size(viewport)
        if viewport is PHONE:
            page.locator("label.md-header__button[for=__search]").click()
            page.locator(".md-search__input").fill("")
        dialog = search(page, "np.testing.assert_allclose")
        marks = dialog.locator(".md-search-result__link pre mark")
        # Some results are folded.
        marks.filter(visible=True).first.wait_for()
        page.wait_for_timeout(500)
        report(
            f"{viewport['width']} px: {violation['id']} at {node['target']}"
            for options in [AXE_REST, AXE_COLORS]
            for violation in axe(page, *options)
            for node in violation["nodes"]
        )
        page.keyboard.press("Escape")


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
