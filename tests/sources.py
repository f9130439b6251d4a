"""What code uses of functions, classes and constants that other files define."""

import ast
import functools
import re


def importable(tree: ast.Module) -> list[ast.stmt]:
    """Return the imports, functions, classes and constants of a file."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return [
        node
        for node in tree.body
        if isinstance(node, kinds)
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).isupper())
    ]


@functools.cache
def _used(code: str) -> set[str]:
    """Return the names that code reads and does not assign itself."""
    tree = ast.parse(code)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    own = {name.id for name in names if not isinstance(name.ctx, ast.Load)}
    return (
        read - own - {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    )


@functools.cache
def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def segment(text: str, node: ast.stmt) -> str:
    """Return the source of a statement at the margin of a file.

    ``ast.get_source_segment`` does the same and divides the text into lines each time.
    """
    *lines, last = _lines(text)[node.lineno - 1 : node.end_lineno]
    return "".join([*lines, last.encode()[: node.end_col_offset].decode()])


@functools.cache
def _sources(text: str) -> dict[str, str]:
    """Return the imports, constants, functions and classes of a text, by name."""
    return {
        getattr(node, "name", "") or ast.unparse(node).partition(" ")[0]: (
            segment(text, node)
        )
        for node in importable(ast.parse(text))
    }


def needed(start: list[str], texts: list[str]) -> dict[str, str]:
    """Return the sources that code uses, at any depth, by name.

    Args:
        start: The code, each piece whole.
        texts: Where its imports, constants, functions and classes may come from; of
            two with one name, the later text has the one that counts.
    """
    known = {}
    for text in texts:
        known |= _sources(text)
    found, pending = {}, list(start)
    while pending:
        names = _used(pending.pop())
        new = {name: known[name] for name in names & known.keys() - found.keys()}
        found |= new
        pending += new.values()
    return dict(sorted(found.items()))


def imported(code: str, modules: set[str]) -> set[str] | None:
    """Return the names that code imports from modules.

    Returns:
        The names; `None` if the code uses a module in another way, so that what it
        uses cannot be told.
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    found, imports = set(), 0
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            found |= {name.name for name in node.names}
            imports += 1
    mentioned = len(re.findall(rf"\b(?:{'|'.join(sorted(modules))})\b", code))
    return found if mentioned == imports and "*" not in found else None
