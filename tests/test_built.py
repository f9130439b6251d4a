"""The built site: that it shows what ran, and what only a browser can tell."""

import json
import re
import urllib.parse
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup, SoupStrainer
from mkdocs.utils.yaml import yaml_load

from tests.codeblocks import counts
from tests.conftest import report
from tests.test_site import (
    ALL_PAGES,
    ROOT,
    TOOLS,
    python_blocks,
    read_page,
    shown_in_source,
)
from tests.visits import (
    AXE,
    AXE_COLORS,
    DESKTOP,
    LOW_CONTRAST,
    LUMINANCE,
    PHONE,
    UNSEEN,
    axe,
    lay_out,
    visit,
)

DOCS = ROOT / "docs"
# In bytes, compressed. What all pages share is loaded once; a page's own part, the
# document and its figures, grows with what it has to say.
SHARED_BUDGET = 64_000 + 10 * len(list(DOCS.rglob("*.md")))  # the sitemap grows
PAGE_BUDGET = 25_000
NOTEBOOK_BUDGET = 120_000
# Of a page as it opens, folded parts closed, in windows of 1280 x 800.
SCREENS, SCREEN = 8, 800


def built(site, name: str) -> Path:
    """Return the built file of a page."""
    path = Path(name).relative_to("docs").with_suffix("")
    folder = path.parent if path.stem == "index" else path
    return site.path / folder / "index.html"


def shown_in_html(site, name: str) -> list[tuple[str, str]]:
    """Return title and text of each Python block that a reader of the page sees."""
    text = built(site, name).read_text("utf-8")
    article = BeautifulSoup(text, "html.parser", parse_only=SoupStrainer("article"))
    return python_blocks(article, name)


@pytest.mark.parametrize("name", ALL_PAGES)
def test_every_python_block_of_the_built_page_is_one_that_is_run(site, name, request):
    blocks = shown_in_source(name)
    shown = shown_in_html(site, name)
    total = request.config.stash[counts]
    total.shown += len(shown)
    if name.endswith(".md") and read_page(name).session:
        total.elsewhere += len(shown)
    assert [text.strip("\n") for _, text in shown] == [
        block.code.strip("\n") for block in blocks
    ], f"{name}: the built page shows other Python blocks than the tests run"
    for (title, _), block in zip(shown, blocks, strict=True):
        if block.reason is not None:
            assert block.reason in title, f"{block.where}: the reason is not visible"


@pytest.mark.parametrize("file", TOOLS)
def test_a_file_for_readers_is_what_the_tests_run(site, file):
    served = urllib.request.urlopen(site.url + Path(file).name)
    assert served.read() == (ROOT / file).read_bytes()
    for name in ALL_PAGES:
        path = built(site, name)
        ending = re.escape(Path(file).name)
        for link in re.findall(rf'href="?([^\s">]*{ending})', path.read_text("utf-8")):
            target = (path.parent / link).resolve()
            assert target == site.path.resolve() / Path(file).name, (
                f"{name}: {link} leads elsewhere"
            )


def redirects() -> dict[str, str]:
    """Return, by its old path, where each page that was moved is now."""
    with open(ROOT / "mkdocs.yml", "rb") as file:
        plugins = yaml_load(file)["plugins"]
    (options,) = (plugin["redirects"] for plugin in plugins if "redirects" in plugin)
    return {
        old.removesuffix(".md") + "/": new.removesuffix(".md") + "/"
        for old, new in options["redirect_maps"].items()
    }


@pytest.fixture(scope="module")
def paths(site):
    """Every page, relative to the root of the site."""
    tree = ElementTree.parse(site.path / "sitemap.xml")
    found = [loc.text.removeprefix(site.url) for loc in tree.iterfind(".//{*}loc")]
    files = list(site.path.rglob("index.html"))
    assert len(found) == len(files) - len(redirects()), (
        "the sitemap does not list every page"
    )
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
def visits(browser, site, paths, pytestconfig):
    """What each page did when it was opened."""
    # The pages of a tab look alike: the largest of each is looked at in every way, the
    # largest trap and symptom among them; the others are laid out.
    size = {path: (site.path / path / "index.html").stat().st_size for path in paths}
    largest = {
        (path.partition("/")[0], path.startswith("trouble/symptoms/")): path
        for path in sorted(paths, key=size.get)
    }
    whole = paths if pytestconfig.getoption("every_page") else largest.values()
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(10_000)
    # One page for all visits: a new one costs the browser as much as the visit.
    page = context.new_page()
    found = {path: visit(page, site.url + path) for path in whole}
    visited = {url for seen in found.values() for url in seen["requests"]}
    found |= lay_out(page, site.url, sorted(set(paths) - set(whole)))
    context.close()
    # Otherwise what a script does on the other pages would be seen by nobody.
    report(
        f"/{path} loads {url}, which no page that is looked at in every way does"
        for path, seen in found.items()
        for url in seen["requests"]
        if url.endswith((".js", ".css")) and url not in visited
    )
    return found


def test_what_was_published_is_still_there(site, paths):
    ids = {
        path: set(re.findall(r'\bid="?([^\s">]+)', text))
        for path in paths
        for text in [(site.path / path / "index.html").read_text("utf-8")]
    }
    moved = redirects()
    addresses = (ROOT / "tests" / "addresses.txt").read_text("utf-8").split()
    gone = []
    for address in addresses:
        path, _, anchor = address.partition("#")
        path = moved.get(path, path).lstrip("/")
        if path not in ids:
            if not (site.path / path).is_file():
                gone.append(f"/{address}: redirect the page in mkdocs.yml")
        elif anchor and anchor not in ids[path]:
            gone.append(f"/{address}: {{ #{anchor} }} belongs to the row of its trap")
    report(gone)


def test_what_answers_questions_and_queries_is_there(site):
    tests = ROOT / "tests"
    questions = json.loads((tests / "questions.json").read_text("utf-8"))
    answers = {(q["id"], q["answer"]) for q in questions if "answer" in q}
    for query in json.loads((tests / "queries.json").read_text("utf-8")):
        answers |= {(query["query"], answer) for answer in query["answer"]}
    report(
        f"{asked}: /{answer} is not there"
        for asked, answer in sorted(answers)
        for path, _, anchor in [answer.partition("#")]
        if not (file := site.path / path / "index.html").is_file()
        or anchor
        and not re.search(rf'\bid="?{re.escape(anchor)}[">\s]', file.read_text("utf-8"))
    )


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


def test_pages_are_short(visits, notebooks):
    report(
        f"/{path} is {seen['height'] / SCREEN:.1f} screens high, over {SCREENS}: "
        "divide it, or fold what only few readers open"
        for path, seen in visits.items()
        if seen["height"] > SCREENS * SCREEN and path not in notebooks
    )


def test_no_line_of_code_is_cut(visits):
    report(
        f"/{path}: wider than its box at {DESKTOP['width']} px: {line}"
        for path, seen in visits.items()
        for line in seen["cut"]
    )


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


@pytest.mark.parametrize("file", TOOLS)
def test_a_click_downloads_a_tool_file(page, site, file):
    name = Path(file).name
    page.goto(f"{site.url}reference/{Path(file).stem.replace('_', '-')}/")
    with page.expect_download() as download:
        page.locator(f"article a[href$='{name}']").first.click()
    assert download.value.suggested_filename == name
    downloaded = Path(download.value.path())
    assert downloaded.read_bytes() == (ROOT / file).read_bytes()


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
    # Where the page is, to within what the eye would not call a jump.
    page.add_init_script("window.near = (y) => Math.abs(scrollY - y) < 50")
    start = site.url + "reference/formats/"
    page.goto(start, wait_until="networkidle")
    title = page.locator("article h1").inner_text()
    links = page.locator("article a:not(.headerlink)[href*='/#']")

    def stays(address, y=None):
        """Wait until the page is there, and see that it does not go elsewhere."""
        page.wait_for_url(address)
        if y is not None:
            page.wait_for_function("near", arg=y)
        # The theme writes addresses late, when it has seen the page scroll.
        page.wait_for_timeout(1000)
        assert page.url == address
        assert y is None or page.evaluate("near", y), f"{address} has scrolled"

    for link in [links.first, links.last]:
        # Some way down the page, where another section is the current one.
        link.scroll_into_view_if_needed()
        page.mouse.wheel(0, 100)
        page.wait_for_timeout(300)
        before, left = page.url, page.evaluate("scrollY")
        target = link.evaluate("link => link.href")
        link.click()
        page.locator(f"article h1:not(:has-text({json.dumps(title)}))").wait_for()
        section = page.locator("#" + urllib.parse.urlsplit(target).fragment)
        stays(target)
        top = section.bounding_box()["y"]
        assert 0 <= top < DESKTOP["height"] / 2, f"{target} is {top} px down"
        # The theme notes where a page is a moment after it has come to rest.
        page.wait_for_function("history.state && near(history.state.y)")
        there = page.evaluate("scrollY")
        page.go_back()
        stays(before, left)
        page.go_forward()
        stays(target, there)
        page.goto(start, wait_until="networkidle")


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


def tab_to(page, name):
    """Press Tab until a link of that name, in a text or a drawing, has the focus."""
    for _ in range(100):
        page.keyboard.press("Tab")
        text = page.evaluate("document.activeElement.textContent")
        if " ".join(text.split()) == name:
            return
    pytest.fail(f"{name} is not reached")


def test_the_finder_is_walked_by_keyboard(page, site):
    page.set_viewport_size(PHONE)
    page.goto(site.url + "trouble/find-the-cause/", wait_until="networkidle")
    tab_to(page, "leads to the cause")
    page.keyboard.press("Enter")
    for question in ["question 1", "question 2", "question 3"]:
        tab_to(page, question)
        page.keyboard.press("Enter")
    tab_to(page, "still at 0 and 1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/trouble/training-mode/forgotten/")
    page.go_back()
    page.goto(site.url + "trouble/find-the-cause/", wait_until="networkidle")
    # From the drawing, without the page being loaded anew.
    page.evaluate("window.stays = true")
    tab_to(page, "5. Is it the same mode?")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1500)
    for _ in range(5):
        page.keyboard.press("Tab")
        if "question 6" in page.evaluate("document.activeElement.textContent"):
            break
    else:
        pytest.fail("the focus did not go to the question")
    assert page.evaluate("window.stays")


def test_the_drawer_opens_to_the_keyboard(page, site):
    page.set_viewport_size(PHONE)
    page.goto(site.url)
    page.locator("label.md-header__button[for=__drawer]").click()
    page.locator(".md-sidebar--primary a.md-nav__link:visible").first.focus()
    assert page.evaluate(UNSEEN) == ""


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
