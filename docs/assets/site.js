// All of this decorates; pages are complete without it.

// A box that scrolls must be reachable by keyboard; one that does not must not be in
// the way. Which is which changes with the width of the window.
const boxes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) {
      target.tabIndex = 0
      target.setAttribute("role", "group")
      target.setAttribute("aria-label", "Table, scrolls sideways")
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) target.removeAttribute(name)
    }
  }
})

function label(root) {
  // The theme wraps each copy button in a navigation landmark without a name. A page
  // has dozens of them, so they are taken out of the list of landmarks.
  for (const nav of root.querySelectorAll(".md-code__nav")) {
    nav.setAttribute("role", "none")
  }
  for (const note of root.querySelectorAll(".md-annotation__index")) {
    note.setAttribute("aria-label", "Note on this line")
  }
}

// The theme adds these to a block when it comes into view.
const additions = new MutationObserver((records) => {
  for (const { target } of records) label(target)
})

// The theme listens to the keyboard only; text arrives by mouse, menu and voice, too.
addEventListener("input", ({ target }) => {
  if (target.matches(".md-search__input")) {
    target.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }))
  }
})

// The theme takes links of a drawing for something else, and would load the page anew.
addEventListener("click", (event) => {
  const drawn = event.target.closest("svg a")
  if (!drawn || event.metaKey || event.ctrlKey || event.shiftKey) return
  event.preventDefault()
  const link = document.createElement("a")
  link.href = drawn.href.baseVal
  document.body.append(link)
  link.click()
  link.remove()
})

// The theme publishes each page here, those of instant navigation too.
document$.subscribe(() => {
  const article = document.querySelector("article")
  label(article)
  additions.disconnect()
  additions.observe(article, { childList: true, subtree: true })

  boxes.disconnect()
  for (const box of article.querySelectorAll(
    ".md-typeset__scrollwrap, div.notebook-output:not(.highlight)",
  )) {
    boxes.observe(box)
  }

  // A file for readers is to be kept, not looked at.
  for (const link of article.querySelectorAll("a[href$='.py']")) link.download = ""

  // CSS cannot select by text.
  for (const title of article.querySelectorAll(".highlight > .filename")) {
    title.parentElement.classList.toggle(
      "not-run",
      title.textContent.startsWith("Not run here:"),
    )
  }
  for (const cell of article.querySelectorAll("td")) {
    cell.classList.toggle("no", /^no(,|$)/.test(cell.textContent.trim()))
  }
})
