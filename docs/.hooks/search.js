// The search of this site, in place of the theme's, which it answers the same messages for.
// The index library, lunr, stands before this text in the worker that is built of both.
//
// A page is ranked by all of its words, by the best of its phrases (title, headings, and
// the `tags` of its front matter, which are what readers type), and by its best section.

const [SETUP, READY, QUERY, RESULT] = [0, 1, 2, 3]
const PAGE = { title: 3, headings: 1.5, tags: 2, prose: 1, code: 0.3 }
const SECTION = { title: 2, prose: 1, code: 0.4 }
const PHRASES = [2, 0.4] // the weight of the best one and of the next
const BEST_SECTION = 0.3
const [CANDIDATES, ORDER] = [40, 1.5] // how many are asked for the order of the words
const [PAGES, SECTIONS] = [10, 4] // that are shown

// Words that say nothing about a page. "not", "no", "same" and "after" do.
const STOP = new Set(
  ("a about all also am an and any are as at be been but by can cannot could did do does " +
    "doing for from get gets getting got had has have having how i if in into is it its just " +
    "me my of on or our please should so some such that the their them then there these " +
    "they this to too us use used using want was we were what when where which while who " +
    "why will with would you your " +
    // What else stands in a question that is put to somebody.
    "advance anybody anyone hello help hi idea ideas know knows pls plz someone thank thanks " +
    "tried try trying").split(" "),
)
const SAME = new Map(
  Object.entries({
    acc: "accuracy", batchnorm: "bn", batchnormalization: "bn", bnorm: "bn", ckpt: "checkpoint",
    ckpts: "checkpoint", gpus: "gpu", tpus: "tpu", lr: "rate", preds: "predictions",
    params: "parameters", stats: "statistics", val: "validation", var: "variance",
    lose: "lost", loses: "lost", gone: "lost", forgets: "lost", forgot: "lost",
    disappear: "lost", disappeared: "lost", vanished: "lost", nonsense: "garbage", rubbish: "garbage",
    hdf5: "h5", torch: "pytorch", normalisation: "normalization", optimiser: "optimizer",
    avg: "average", bf16: "bfloat16", fp16: "float16", fp32: "float32", img: "image",
    dir: "folder", directories: "folder", directory: "folder", inf: "infinite",
    infinity: "infinite", param: "parameters", sync: "synchronized", synced: "synchronized",
    tflite: "litert", zero: "0", zeros: "0",
  }),
)
// Headings that each page of a kind has.
const COMMON = /^(What you see|Why|Fix|Make sure|Measure|Read the cause|Each cause, measured|In short|What can go wrong|Where to go next)$/
const WORD = /[\p{L}_][\p{L}\p{N}_]*|\p{N}+(?:\.\p{N}+)*/gu

const known = new Map()
/** Return the stems that a word of a text counts as: itself, and its parts if it is code. */
function stems(word) {
  if (!known.has(word)) {
    const whole = word.toLowerCase()
    const parts = word
      .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2")
      .toLowerCase()
      .split(/[_ ]+/)
    const all = SAME.has(whole) || parts.length === 1 ? [whole] : [whole, ...parts]
    const told = all.filter((each) => each && !STOP.has(each)).map((each) => SAME.get(each) ?? each)
    known.set(word, told.map((each) => lunr.stemmer(new lunr.Token(each)).toString()))
  }
  return known.get(word)
}

/** Return the stems of the words of a text. */
function terms(text) {
  const joined = text
    .replace(/\bbat?ct?h[ -]?n[a-z]?r[a-z]?m(al[a-z]*)?\b/gi, "bn") // however it is spelled
    .replace(/\b(?:are|could|did|do|does|had|has|have|is|should|was|were|wo|would)n['\u2019]?t\b/gi, "not")
    .replace(/\bcan['\u2019]?t\b/gi, "cannot")
    .replace(/\bfinetun/gi, "fine-tun")
    .replace(/\bhugging face\b/gi, "huggingface")
    .replace(/\bpre-(?=train)/gi, "pre")
    .replace(/\b(keras|tensorflow|tf|python|py)-?(?=\d)/gi, "$1 ") // a version
  return (joined.match(WORD) ?? []).flatMap(stems)
}

// What a pasted traceback has beside its message: lines of files, and the way to each.
const TRACE = [
  /\bTraceback \(most recent call last\):|\braise e\.with_traceback\(filtered_tb\) from None/g,
  /\bFile "[^"]*", line \d+(?:, in \S+)?/g,
  /(?<![\w.)\]])(?:[A-Za-z]:)?(?:[\\/][\w.-]+){2,}[\\/](?=[\w.-])/g,
  /\b(?:tensorflow|keras)(?:\.\w+)*\.(?=\w+(?:Error|Exception)\b)/g,
]
/** Return a query without what says where in a program something was raised. */
function message(text) {
  const short = TRACE.reduce((rest, noise) => rest.replace(noise, " "), text)
  return short.match(WORD) ? short : text
}

/** Return the pairs of terms that follow each other. */
function neighbors(terms) {
  return new Set(terms.slice(1).map((term, i) => terms[i] + " " + term))
}

/** Return a word with each two neighboring letters swapped. Of the words that lunr takes for
    as near, the one with the same letters is the likeliest, and lunr may miss it. */
function swaps(term) {
  if (!/^\p{L}{4,}$/u.test(term)) return []
  return Array.from({ length: term.length - 1 }, (_, i) => {
    return term.slice(0, i) + term[i + 1] + term[i] + term.slice(i + 2)
  })
}

const plain = (html) => html.replace(/<[^>]*>/g, " ").replace(/&#?\w+;/g, " ")

function index(fields, documents) {
  return lunr(function () {
    this.ref("id")
    for (const name in fields) this.field(name, { boost: fields[name] })
    this.tokenizer = (text) => terms(text).map((term) => new lunr.Token(term))
    this.pipeline.reset()
    for (const each of documents) this.add(each, { boost: each.boost ?? 1 })
  })
}

class Search {
  /** @param docs Sections as MkDocs indexes them, those of a page one after the other. */
  constructor(docs) {
    this.docs = docs
    this.pages = new Map()
    this.phrases = []
    this.vocabulary = new Map()
    const sections = []
    docs.forEach((doc, id) => {
      const [path, anchor] = doc.location.split("#")
      const title = plain(doc.title)
      if (!this.pages.has(path)) {
        const tags = (doc.tags ?? []).join(" ")
        this.pages.set(path, { id: path, doc, title, headings: "", tags, prose: "", code: "" })
      }
      const page = this.pages.get(path)
      const common = COMMON.test(title)
      if (!common) {
        const texts = anchor ? [title] : [title, ...(doc.tags ?? [])]
        for (const text of texts) {
          this.phrases.push({ id: this.phrases.length, path, section: id, text })
          for (const [word] of text.toLowerCase().matchAll(WORD)) {
            this.vocabulary.set(word, (this.vocabulary.get(word) ?? 0) + 1)
          }
        }
      }
      // What it links to is what other pages are about.
      if (title === "Where to go next") return
      let code = ""
      const prose = plain(doc.text.replace(/<pre>[^]*?<\/pre>/g, (block) => ((code += block), " ")))
      code = plain(code)
      if (anchor && !common) page.headings += " " + title
      page.prose += " " + prose
      page.code += " " + code
      sections.push({ id, title: anchor ? title : "", prose, code })
    })
    this.byPage = index(PAGE, this.pages.values())
    this.byPhrase = index({ text: 1 }, this.phrases)
    this.bySection = index(SECTION, sections)
  }

  /** Return what an index finds, scores raised by the share of the query that is found. */
  find(where, asked, share) {
    const all = where.invertedIndex
    const results = where.query((query) => {
      asked.forEach((term, i) => {
        const clause = { usePipeline: false }
        if (term in all) return query.term(term, clause)
        // The last word may still be typed; the others may be misspelled.
        if (i === asked.length - 1) {
          query.term(term, { ...clause, wildcard: lunr.Query.wildcard.TRAILING })
        }
        const mended = swaps(term).filter((each) => each in all)
        for (const each of mended) query.term(each, clause)
        if (!mended.length && asked.length < 8 && /^\p{L}{4,20}$/u.test(term)) {
          query.term(term, { ...clause, boost: 0.5, editDistance: term.length > 6 ? 2 : 1 })
        }
      })
    })
    const count = new Map()
    for (const { matchData } of results) {
      for (const term in matchData.metadata) count.set(term, (count.get(term) ?? 0) + 1)
    }
    const rare = (term) => Math.log(1 + (results.length + 1) / count.get(term))
    const total = [...count.keys()].reduce((sum, term) => sum + rare(term), 0)
    for (const result of results) {
      const found = Object.keys(result.matchData.metadata)
      result.score *= 1 + (share * found.reduce((sum, term) => sum + rare(term), 0)) / total
    }
    return results
  }

  /** Return the pages for a query, best first, each with its best sections. */
  search(query) {
    const text = message(query)
    const asked = [...new Set(terms(text))]
    if (!asked.length) return { items: [], suggest: [] }
    const groups = new Map()
    const matched = new Set()
    for (const { ref, score, matchData } of this.find(this.byPage, asked, 1)) {
      groups.set(ref, { doc: this.pages.get(ref).doc, score, phrases: [], sections: new Map() })
      for (const term in matchData.metadata) matched.add(term)
    }
    const add = (id, score) => {
      const sections = groups.get(this.docs[id].location.split("#")[0])?.sections
      sections?.set(id, (sections.get(id) ?? 0) + score)
    }
    for (const { ref, score } of this.find(this.bySection, asked, 3)) add(ref, score)
    for (const group of groups.values()) group.best = Math.max(0, ...group.sections.values())
    for (const { ref, score } of this.find(this.byPhrase, asked, 1)) {
      const { path, section } = this.phrases[ref]
      groups.get(path)?.phrases.push(score)
      add(section, score)
    }
    const items = [...groups.values()].map(({ doc, score, phrases, sections, best }) => {
      phrases.sort((a, b) => b - a)
      PHRASES.forEach((weight, i) => (score += weight * (phrases[i] ?? 0)))
      score = (score + BEST_SECTION * best) * (doc.boost ?? 1)
      return { doc, score, sections: [...sections].sort((a, b) => b[1] - a[1]).slice(0, SECTIONS) }
    })
    const best = (a, b) => b.score - a.score
    const pairs = neighbors(terms(text))
    for (const item of items.sort(best).slice(0, CANDIDATES)) {
      const page = this.pages.get(item.doc.location)
      page.pairs ??= neighbors(terms([page.title, page.headings, page.tags, page.prose, page.code].join(" ")))
      const found = [...pairs].filter((pair) => page.pairs.has(pair)).length
      if (found) item.score *= 1 + (ORDER * found) / pairs.size
    }
    items.sort(best)
    const words = Object.fromEntries(query.match(WORD).map((word) => [word.toLowerCase(), true]))
    return {
      items: items.slice(0, PAGES).map((item) => this.shown(item, words, matched)),
      suggest: this.suggest(query),
    }
  }

  /** Return a page as the theme shows it: the first section, and the others folded. */
  shown({ doc, score, sections }, words, matched) {
    const found = sections.map(([id], i) => [this.docs[id], score - i / 100])
    if (!found.some(([section]) => section === doc)) found.push([doc, score - 1])
    return found.map(([doc, score]) => ({
      location: doc.location,
      title: mark(doc.title, matched),
      text: excerpt(doc, matched),
      score,
      terms: words,
    }))
  }

  suggest(text) {
    const [begun] = text.toLowerCase().match(/[^\s-]*$/)
    if (begun.length < 2) return []
    let [best, most] = [undefined, 0]
    for (const [word, count] of this.vocabulary) {
      if (count > most && word.startsWith(begun)) [best, most] = [word, count]
    }
    return best ? [best] : []
  }
}

/** Mark the words in HTML without tags that were found. */
function mark(html, matched) {
  return html.replace(/&#?\w+;|<[^>]*>|[\p{L}\p{N}_]+/gu, (word) => {
    if (/^[&<]/.test(word)) return word
    return stems(word).some((term) => matched.has(term)) ? `<mark>${word}</mark>` : word
  })
}

/** Return the blocks of a section and the words in each, for the next query as well. */
function blocks(doc) {
  doc.blocks ??= doc.text
    .split(/(<pre>[^]*?<\/pre>)|<\/(?:p|li|tr|dd|dt|h\d)>/)
    .filter((block) => block && !COMMON.test(plain(block).trim()))
    .map((block, at) => ({ block, at, words: new Set(terms(plain(block))) }))
  return doc.blocks
}

/** Return the two blocks of a section that hold most of what was found, shortened. */
function excerpt(doc, matched) {
  const rated = blocks(doc).map(({ block, at, words }) => {
    return { block, at, found: [...matched].filter((term) => words.has(term)).length }
  })
  rated.sort((a, b) => b.found - a.found || a.at - b.at)
  const best = rated.slice(0, 2).filter(({ found }, i) => found || !i)
  return best
    .sort((a, b) => a.at - b.at)
    .map(({ block }) => {
      const code = block.startsWith("<pre>")
      const text = block.replace(/<[^>]*>/g, "").trim()
      const parts = code ? text.split("\n") : text.split(/(?<=[.:;]) |\n/)
      const first = parts.findIndex((part) => mark(part, matched) !== part)
      const some = parts.slice(Math.max(0, first - 1), Math.max(0, first - 1) + 4)
      const marked = mark(some.join(code ? "\n" : " "), matched)
      return code ? `<pre><code>${marked}</code></pre>` : `<p>${marked}</p>`
    })
    .join("")
}

let searching
addEventListener("message", ({ data: { type, data } }) => {
  if (type === SETUP) {
    searching = new Search(data.docs)
    postMessage({ type: READY })
  } else if (type === QUERY) {
    postMessage({ type: RESULT, data: searching.search(data) })
  }
})
