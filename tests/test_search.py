"""The search of the built site, asked in the browser: it finds, and never throws."""

import html
import json
import re
import string
from collections import Counter

import pytest

from tests.conftest import ROOT, report
from tests.visits import AXE, AXE_COLORS, AXE_REST, DESKTOP, PHONE, axe

# Shares of the queries in queries.json.
IN_FIRST_THREE, SECTION = 0.95, 0.80
MEDIAN_MS = 100


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
    assert found.inner_text().lower().startswith("moving")


def test_search_finds_what_is_pasted_with_the_mouse(page, site):
    page.goto(site.url)
    # The first words wait for the index; a paste into the field that searches does not.
    found = search(page, "orbax").locator(".md-search-result__link mark")
    found.get_by_text("orbax").first.wait_for()
    search(page, " moving")
    found.get_by_text("moving").first.wait_for(state="attached")


# Starts the worker as the site's pages do.
START = """async ([worker, docs]) => {
  const { config, docs: sections } = await (await fetch(docs)).json()
  const search = new Worker(worker)
  window.ask = (type, data) =>
    new Promise((resolve) => {
      search.addEventListener("message", ({ data }) => resolve(data), { once: true })
      search.postMessage({ type, data })
    })
  await ask(0, { config, docs: sections, options: { suggest: true } })
}"""

# Asks it one query after the other. What is found are the sections of each page, in
# the order in which they are shown.
ASK_ALL = """async (queries) => {
  const answers = {}
  for (const query of queries) {
    const begin = performance.now()
    const { items } = (await ask(2, query)).data
    const found = items.map((page) => page.map(({ location }) => location))
    answers[query] = { found, ms: performance.now() - begin }
  }
  return answers
}"""


# How many words of English the search leaves out.
STOP_WORDS = 90
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


@pytest.fixture(scope="module")
def ask(browser, site):
    """A function that puts queries to the search and returns what each finds."""
    context = browser.new_context()
    page = context.new_page()
    # The pages wait for a reader who searches before they start the worker.
    page.goto(site.url + "?q=moving", wait_until="networkidle")
    thrown = []
    page.on("console", lambda message: thrown.append(message.text))
    page.on("pageerror", lambda error: thrown.append(str(error)))
    [worker] = site.path.glob("assets/javascripts/workers/search.*.js")
    script = site.url + worker.relative_to(site.path).as_posix()
    page.evaluate(START, [script, site.url + "search/search_index.json"])

    def ask(queries):
        answers = page.evaluate(ASK_ALL, sorted(queries))
        report(thrown)
        return answers

    yield ask
    context.close()


def test_the_search_finds_what_readers_ask(ask):
    bank = json.loads((ROOT / "tests" / "queries.json").read_text("utf-8"))
    bank += [
        question | {"kind": "question", "answer": [question["answer"]]}
        for question in json.loads(
            (ROOT / "tests" / "questions.json").read_text("utf-8")
        )
        if "answer" in question
    ]
    answers = ask({each["query"] for each in bank})
    asked, first, three, sections, ranks = [Counter() for _ in range(5)]
    failing = []
    for each in bank:
        kind, found = each["kind"], answers[each["query"]]["found"]
        pages = {answer.partition("#")[0] for answer in each["answer"]}
        hits = [page[0].partition("#")[0] in pages for page in found]
        rank = hits.index(True) + 1 if True in hits else None
        asked[kind] += 1
        first[kind] += rank == 1
        ranks[kind] += 1 / rank if rank else 0
        # A result shows its best section, and folds the others.
        shown = {location for page in found[:3] for location in page}
        sections[kind] += bool(shown & {a.rstrip("#") for a in each["answer"]})
        three[kind] += any(hits[:3])
        if not any(hits[:3]):
            failing.append(f"{rank or '-':>3}  {kind}: {each['query'][:70]!r}")
    print("\nkind        queries  first  in three  section  mean reciprocal rank")
    for kind in [*asked, None]:
        n, *sums = [
            each[kind] if kind else each.total()
            for each in (asked, first, three, sections, ranks)
        ]
        print(f"{kind or 'all':12}{n:7}", *(f"{each / n:8.3f}" for each in sums))
    times = sorted(answer["ms"] for answer in answers.values())
    median = times[len(times) // 2]
    print(f"median {median:.0f} ms a query\nnot among the first three, with the rank:")
    print(*failing, sep="\n")
    banked = asked - Counter(question=asked["question"])
    n = banked.total()
    assert sum(three[kind] for kind in banked) >= IN_FIRST_THREE * n, failing
    assert sum(sections[kind] for kind in banked) >= SECTION * n
    for kind in ("message", "question"):
        assert three[kind] == asked[kind], failing
    assert median <= MEDIAN_MS


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
    missing = sorted(word for word in words if not found[word]["found"])
    # These are on purpose: words that say nothing about a page.
    assert len(missing) <= STOP_WORDS, f"found nowhere: {missing}"
    for word in ["keras", "np", "enumerate"]:
        assert found[word]["found"], f"{word!r} is found nowhere"


def test_any_text_can_be_searched(ask, site):
    index = (site.path / "search/search_index.json").read_text("utf-8")
    texts = [html.unescape(section["text"]) for section in json.loads(index)["docs"]]
    runs = {run for text in texts for run in re.findall(r"[^\w\s]+", text)}
    # What the search makes of a sign depends on the one beside it at most.
    signs = {run[i : i + 2] for run in runs for i in range(len(run))}
    # And what lunr reads as its syntax, in all pairs.
    signs |= set(string.punctuation) | {a + b for a in SYNTAX for b in SYNTAX}
    queries = {f"{run}orbax{run}jax {run} {run}" for run in signs} | set(PASTED)
    found = ask(queries | signs)
    report(
        f"finds nothing: {query}"
        for query in sorted(queries)
        if not found[query]["found"]
    )


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
