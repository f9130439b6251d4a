"""The code of the pages: ``snippets/a/b_c.py`` is shown by ``docs/a/b-c.md``.

Each file is a script that runs from top to bottom. The page includes it section
by section, in order and whole; a section named after a file, like ``reload``,
is shown as ``reload.py`` and proves its claim in a process of its own.
"""
