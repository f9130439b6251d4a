"""Find the recipes of the pages, and prove each of them on a member of the zoo."""

import ast
import functools
import hashlib
import importlib
import inspect
import json
import re
import sys
import traceback
from importlib.metadata import version
from pathlib import Path

from tests import sources

ROOT = Path(__file__).parents[2]
SNIPPETS = ROOT / "snippets"
TOOLS = [ROOT / "docs" / name for name in ("bn_tools.py", "bn_diagnosis.py")]
PROOFS = Path(__file__).with_name("proofs")
RESULTS = Path(__file__).with_name("results.json")
ZOO = [Path(__file__).with_name(name) for name in ("members.py", "compare.py")]


class NotFor(Exception):
    """A recipe has nothing to do with a member; the message says why."""


class Proof:
    """The proof of one recipe.

    Attributes:
        recipe: ``<snippet file>:<function, class or section>``.
        prove: Called with the recipe and the member; compares, and returns nothing, or
            what the recipe says when it refuses.
        elsewhere: The part of the proof that runs in a process of its own afterwards,
            in the same folder, called in the same way; ``None`` if there is none.
    """

    def __init__(self, recipe, prove):
        self.recipe, self.prove, self.elsewhere = recipe, prove, None

    def in_a_new_process(self, check):
        """Register the part of the proof that must not know what was saved."""
        self.elsewhere = check
        return check


REGISTRY: dict[str, Proof] = {}


def proof(recipe):
    """Register a function as the proof of a recipe."""

    def add(prove):
        REGISTRY[recipe] = Proof(recipe, prove)
        return REGISTRY[recipe]

    return add


def load_proofs() -> dict[str, Proof]:
    """Import all modules with proofs and return the proofs by recipe."""
    for path in sorted(PROOFS.glob("[a-z]*.py")):
        importlib.import_module(f"tests.zoo.proofs.{path.stem}")
    return REGISTRY


def demonstrations() -> dict[str, set[str]]:
    """Return, by snippet file, the functions and classes that only a page's own
    demonstration needs: the ``SHOWS`` of the modules with proofs."""
    found = {}
    for path in sorted(PROOFS.glob("[a-z]*.py")):
        module = importlib.import_module(f"tests.zoo.proofs.{path.stem}")
        for file, names in getattr(module, "SHOWS", {}).items():
            found.setdefault(file, set()).update(names.split())
    return found


@functools.cache
def definitions(file: str) -> dict[str, ast.stmt]:
    """Return the functions and classes that a snippet file defines, by name."""
    tree = ast.parse(_path(file).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name: node for node in tree.body if isinstance(node, kinds)}


def _path(file: str) -> Path:
    return next((tool for tool in TOOLS if tool.name == file), SNIPPETS / file)


def source(recipe: str) -> str:
    """Return the source of a recipe: a function, a class, or a named section.

    Raises:
        LookupError: The snippet file holds nothing of that name.
    """
    file, name = recipe.split(":")
    text = _path(file).read_text("utf-8")
    if name in definitions(file):
        return sources.segment(text, definitions(file)[name])
    section = re.search(rf"\[start:{name}\]\n(.*?)# --8<-- \[end:{name}\]", text, re.S)
    if section is None:
        raise LookupError(f"{file} has no function, class or section {name!r}")
    return section[1]


def load(recipe: str) -> dict:
    """Return the imports, constants, functions and classes of the recipe's file.

    Constants are in capitals. Nothing else of the page runs, so a recipe that leans on
    the page's own variables fails here, as it does for a reader.
    """
    file = recipe.partition(":")[0]
    tree = ast.parse(_path(file).read_text("utf-8"))
    tree.body = sources.importable(tree)
    sys.path.insert(0, str(ROOT / "docs"))
    namespace = {"__name__": "recipe"}
    exec(compile(tree, str(_path(file)), "exec", dont_inherit=True), namespace)
    return namespace


def _texts(module: Path) -> list[str]:
    """Return the text of a module of proofs, after those of which it imports names."""
    text = module.read_text("utf-8")
    others = re.findall(r"^from tests\.zoo\.proofs\.(\w+) import", text, re.M)
    return [*(t for name in others for t in _texts(PROOFS / f"{name}.py")), text]


def fingerprint(recipe: str) -> str:
    """Return a short hash of all that the recipe's results depend on.

    Where recipe and proof stand is not part of it, so both may be moved.
    """
    known = load_proofs()[recipe]
    module = Path(sys.modules[known.prove.__module__].__file__)
    files = [*TOOLS, _path(recipe.partition(":")[0])]
    recipes = sources.needed(
        [source(recipe)], [file.read_text("utf-8") for file in files]
    )
    # Without the decorators, which name the recipe's file.
    parts = [
        inspect.getsource(part).partition("def ")[2]
        for part in (known.prove, known.elsewhere)
        if part is not None
    ]
    code = [f"def {part}" for part in parts]
    proofs = sources.needed(code, _texts(module))
    text = "".join([source(recipe), *recipes.values(), *code, *proofs.values()])
    text += "".join(path.read_text("utf-8") for path in ZOO)
    text += "".join(version(name) for name in ("tensorflow", "keras", "numpy"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_cell(recipe: str, name: str, part: str) -> None:
    """Prove a recipe on a member in this process; print the verdict as JSON.

    Args:
        recipe: The recipe.
        name: The member.
        part: "prove" or "elsewhere".
    """
    import keras
    import tensorflow as tf

    from tests.zoo.members import MEMBERS

    member = MEMBERS[name]
    if member.threads:
        tf.config.threading.set_intra_op_parallelism_threads(member.threads)
    keras.config.set_dtype_policy(member.policy)
    keras.utils.set_random_seed(0)
    try:
        said = getattr(load_proofs()[recipe], part)(load(recipe), member)
        verdict = ["refuses", str(said)] if said else ["yes", ""]
    except NotFor as reason:
        verdict = ["not for", str(reason)]
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        for each in traceback.extract_tb(error.__traceback__):
            if each.filename.startswith(str(Path(__file__).parent)):
                frame = each
        where = f"{Path(frame.filename).name}:{frame.lineno}: {frame.line}"
        verdict = ["failed", f"{where}: {type(error).__name__}: {str(error)[:1500]}"]
    print("verdict: " + json.dumps(verdict))


def write(results: dict) -> None:
    """Write the record as a whole, or not at all."""
    temporary = RESULTS.with_suffix(".new")
    text = json.dumps(dict(sorted(results.items())), indent=1, sort_keys=True)
    temporary.write_text(text + "\n", "utf-8")
    temporary.replace(RESULTS)
