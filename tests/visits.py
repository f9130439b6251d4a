"""Open a page of the site in a browser as a reader does, and look."""

import functools
import gzip
import json
import urllib.request
from pathlib import Path

import axe_playwright_python

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES = {"light": "default", "dark": "slate"}
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
COMPRESSED = ("text/", "javascript", "json", "xml", "svg")

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
WIDEST = """(page) => {
  const clipped = (node) => {
    for (let box = node; (box = box.parentElement) && box.tagName !== "ARTICLE"; ) {
      if (getComputedStyle(box).overflowX !== "visible") return true
    }
    return false
  }
  const right = (node) => node.getBoundingClientRect().right
  const nodes = [...page.querySelectorAll("article *")].filter((n) => !clipped(n))
  const widest = nodes.reduce((a, b) => (right(b) > right(a) ? b : a), nodes[0])
  return widest ? widest.outerHTML.slice(0, 120) : "the page's frame"
}"""

# Lines of code that do not fit into their box at the width of the window.
CUT = """(page) => [...page.querySelectorAll("article .language-python code")]
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


@functools.cache
def weight(url):
    """Return the bytes of a file as a server would send it, compressed."""
    with urllib.request.urlopen(url) as response:
        body, kind = response.read(), response.headers.get_content_type()
    return len(gzip.compress(body) if any(n in kind for n in COMPRESSED) else body)


# Lays pages out in frames as wide as a desktop and as a phone. A page's own scripts and
# styles are not loaded again: loading, not looking, is what takes the time of a visit.
LAYOUTS = """async ([site, paths, desktop, phone]) => {
  const frames = [desktop, phone].map(({ width, height }) =>
    Object.assign(document.createElement("iframe"), { width, height }))
  const found = {}
  for (const path of paths) {
    const url = site + path
    const html = await (await fetch(url)).text()
    const parsed = new DOMParser().parseFromString(html, "text/html")
    parsed.head.prepend(Object.assign(document.createElement("base"), { href: url }))
    const loads = [...parsed.querySelectorAll("[src], link[rel=stylesheet]")]
      .map((element) => element.src || element.href)
    parsed.querySelectorAll("script").forEach((script) => script.remove())
    // The colors of code change no height and no width, and most elements are tokens.
    parsed.querySelectorAll(".highlight pre > code").forEach((code) => {
      code.textContent = code.textContent
    })
    const failed = []
    for (const frame of frames) {
      if (!frame.isConnected) {
        frame.srcdoc = parsed.documentElement.outerHTML
        document.body.append(frame)
        await new Promise((loaded) => (frame.onload = loaded))
      } else {
        const page = frame.contentDocument
        page.querySelector("base").href = url
        page.body.replaceWith(page.importNode(parsed.body, true))
      }
      await Promise.all([...frame.contentDocument.images].map((image) => {
        image.loading = "eager"
        return image.decode().catch(() => failed.push(image.src))
      }))
    }
    const [wide, narrow] = frames.map((frame) => frame.contentDocument)
    const height = wide.querySelector("article").scrollHeight
    wide.querySelectorAll("details").forEach((details) => (details.open = true))
    const cut = (CUT)(wide)
    narrow.querySelectorAll("details").forEach((details) => (details.open = true))
    const width = narrow.documentElement.scrollWidth
    const too_wide = width > phone.width ? WIDEST(narrow) : null
    found[path] = { height, cut, width, too_wide, loads, failed }
  }
  return found
}""".replace("WIDEST", f"({WIDEST})").replace("CUT", CUT)


def lay_out(page, site, paths):
    """Lay out pages of a site and note what that tells, without running their scripts.

    Args:
        page: The browser's page.
        site: Address of the site.
        paths: The pages, relative to it.

    Returns:
        For each path what `visit` notes. Nothing is violated, and what pages share has
        no weight: both take a visit.
    """
    page.goto(site + "404.html")
    page.evaluate("document.documentElement.innerHTML = ''")
    found = {}
    for path, seen in page.evaluate(
        LAYOUTS, [site, list(paths), DESKTOP, PHONE]
    ).items():
        loads, failed = seen.pop("loads"), set(seen.pop("failed"))
        images = {url for url in loads if url.endswith((".svg", ".png"))} - failed
        own = sum(weight(url) for url in [site + path, *images])
        errors = [f"failed: {url}" for url in failed]
        nothing = {"shared": 0, "violations": [], "low_contrast": []}
        found[path] = seen | nothing | {"requests": loads, "own": own, "errors": errors}
    return found


def visit(page, url):
    """Open a page and note what it does, and what it would weigh with a cold cache.

    Args:
        page: The browser's page.
        url: The address.
    """
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
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    page.goto(url)
    height = page.evaluate("document.querySelector('article').scrollHeight")
    page.evaluate(
        "document.querySelectorAll('details').forEach((d) => (d.open = true))"
    )
    cut = page.evaluate(f"({CUT})(document)")
    low_contrast = []
    for scheme, name in SCHEMES.items():
        # Half the time of what the theme does when the system's changes.
        page.evaluate(f"document.body.dataset.mdColorScheme = '{name}'")
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
        elif response.url.startswith("http"):
            size = weight(response.url)
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
        "too_wide": page.evaluate(f"({WIDEST})(document)")
        if width > PHONE["width"]
        else None,
        "width": width,
        "height": height,
    }
