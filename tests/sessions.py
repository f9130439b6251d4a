"""The pages that take long, or need more than TensorFlow, run on their own, recorded.

`make long`, `make backends` and `make ship` run what is out of date. The everyday tests
only check that the record belongs to what the pages show, to the proofs of their
recipes and to the pinned versions. The last two have environments of their own, and
each script of their pages starts a fresh interpreter.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests import pages
from tests.versions import scripts

ROOT = Path(__file__).parents[1]
AT_ONCE = 2
"""Pages that run at the same time; each takes a core and up to two gigabytes."""


class Session(NamedTuple):
    """What the pages of a session run with.

    Attributes:
        libraries: The packages whose versions are recorded.
        locks: Names of the lock files of the environment.
        proofs: Tests that run beside the pages, by the files that they are made of.
        together: How many pages one process runs in turn. It pays where their scripts
            start no interpreters of their own.
    """

    libraries: tuple[str, ...]
    locks: tuple[str, ...]
    proofs: dict[str, tuple[str, ...]]
    together: int = 1


SESSIONS = {
    "long": Session(("tensorflow", "keras", "numpy"), ("test",), {}, together=8),
    "backends": Session(
        ("tensorflow", "keras", "jax", "torch"),
        ("backends", "torch"),
        {
            "tests/backends_zoo.py": (
                "tests/backends_zoo.py",
                *(f"tests/zoo/{name}.py" for name in ("compare", "core", "members")),
                "docs/bn_tools.py",
                "snippets/backends/jax_loop.py",
                "snippets/backends/jax_train_step.py",
                "snippets/backends/port_a_net.py",
                "snippets/backends/port_pooling.py",
                "snippets/backends/port_rules.py",
                "snippets/backends/train_on_elsewhere.py",
                "snippets/trouble/pytorch/wrapper.py",
            )
        },
    ),
    "ship": Session(
        (
            "tensorflow",
            "keras",
            "tf2onnx",
            "onnx",
            "onnxruntime",
            "ai-edge-litert",
            "openvino",
            "coremltools",
            "tf-keras",
            "tensorflow-model-optimization",
        ),
        ("ship",),
        {
            "tests/ship/routes.py": (
                *("tests/ship/routes.py", "tests/ship/web.py"),
                "snippets/reference/routes.md",
            ),
            "tests/ship/zoo.py": (
                *(
                    f"tests/ship/{name}.py"
                    for name in "zoo nodes converted layers pruned web".split()
                ),
                "tests/test_refusals.py",
                "docs/bn_tools.py",
                *(f"tests/zoo/{name}.py" for name in ("compare", "core", "members")),
                "snippets/ship/onnx_node.py",
                "snippets/ship/onnx_to_keras.py",
                "snippets/ship/openvino_precision.py",
                "snippets/ship/quantization_aware.py",
                "snippets/ship/serving.py",
                "snippets/ship/tensorflow_js.py",
                "snippets/trouble/litert/cluster_statistics.py",
                "snippets/trouble/litert/prune_frozen.py",
                "snippets/trouble/onnx/statistics.py",
                "snippets/trouble/onnx/training_mode.py",
                "snippets/trouble/onnx/training_node.py",
                "snippets/trouble/runtimes/onnx_first_layer.py",
                "snippets/trouble/runtimes/tfjs_input_layer.py",
                "snippets/trouble/symptoms/after_conversion.py",
            ),
        },
    ),
}


def late(item: str) -> list[str]:
    """Return the option that runs scripts of other versions, if one has changed."""
    if not item.endswith(".md"):
        return []
    page = pages.read(ROOT / item, ROOT)
    changed = (b.version and not scripts.recorded(page, b) for b in page.blocks)
    return ["--other-versions"] if any(changed) else []


def digest(parts: list[str]) -> str:
    """Return a short hash of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def pinned(name: str) -> dict[str, str]:
    """Return the versions that a session's environment is made of."""
    locks = [ROOT / ".lock" / f"{lock}.txt" for lock in SESSIONS[name].locks]
    text = "\n".join(lock.read_text("utf-8") for lock in locks)
    versions = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))
    return {library: versions[library] for library in SESSIONS[name].libraries}


def current(name: str) -> dict[str, str]:
    """Return a short hash of all that a page or a proof of a session depends on."""
    versions = [f"{library} {found}" for library, found in pinned(name).items()]
    found = {}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        page = pages.read(path, ROOT)
        if page.session == name:
            found[page.name] = digest([*versions, *pages.ingredients(page, ROOT)])
    for proof, files in SESSIONS[name].proofs.items():
        texts = [(ROOT / file).read_text("utf-8") for file in files]
        found[proof] = digest([*versions, *texts])
    return found


def record(name: str) -> Path:
    """Return the file that says what has passed."""
    return ROOT / "tests" / f"{name}.txt"


def recorded(name: str) -> dict[str, str]:
    """Return what has passed, as `current` returned it then."""
    if not record(name).is_file():
        return {}
    lines = record(name).read_text("utf-8").splitlines()
    return dict(line.split(" ") for line in lines if not line.startswith("#"))


def stale(name: str) -> list[str]:
    """Return the pages and proofs that changed since they passed, and what is gone."""
    now, passed = current(name), recorded(name)
    return sorted(
        item for item in now.keys() | passed if now.get(item) != passed.get(item)
    )


def keep(name: str, passed: dict[str, str]) -> None:
    """Record what has passed, as a whole or not at all."""
    versions = ", ".join(f"{lib} {found}" for lib, found in pinned(name).items())
    lines = [f"# Written by `make {name}`. With {versions}."]
    lines += [f"{item} {what}" for item, what in sorted(passed.items())]
    temporary = record(name).with_suffix(".new")
    temporary.write_text("\n".join([*lines, ""]), "utf-8")
    temporary.replace(record(name))


def run(name: str, items: list[str], options: list[str]) -> list[str]:
    """Run pages and proofs with this interpreter, and record each that passes.

    Returns:
        Those that failed.
    """

    def test(group: list[str]) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "pytest", "-q", "-m", "session", *group]
        command += sorted({option for item in group for option in late(item)})
        return subprocess.run(
            [*command, *options], cwd=ROOT, capture_output=True, text=True
        )

    failed, size = [], SESSIONS[name].together
    groups = [items[i : i + size] for i in range(0, len(items), size)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for group, done in zip(groups, pool.map(test, groups), strict=True):
            if done.returncode and len(group) > 1:
                for item in group:  # which of them?
                    failed += run(name, [item], options)
                continue
            if done.returncode:
                failed += group
                print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
            else:
                # Read again: outputs may have been written into the page.
                now = current(name)
                kept = {i: w for i, w in recorded(name).items() if i in now}
                keep(name, kept | {item: now[item] for item in group})
            for item in group:
                print(
                    f"{item}: {'failed' if done.returncode else 'passed'}", flush=True
                )
    return failed


def main() -> None:
    """Run what is out of date of a session, or all of it, or what is named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("session", choices=SESSIONS)
    parser.add_argument("pages", nargs="*", help="docs/…/….md; nothing but these")
    parser.add_argument("--again", action="store_true", help="what is up to date, too")
    parser.add_argument(
        "--update-outputs",
        action="store_true",
        help="write what the blocks print into the pages instead of comparing",
    )
    given = parser.parse_args()
    now = current(given.session)
    if unknown := [page for page in given.pages if page not in now]:
        sys.exit(f"not of this session: {unknown}; there are {', '.join(now)}")
    items = list(now) if given.again else stale(given.session)
    items = given.pages or [item for item in items if item in now]
    options = ["--update-outputs"] if given.update_outputs else []
    if failed := run(given.session, items, options):
        sys.exit(f"failed, and not recorded: {', '.join(failed)}")
    keep(given.session, {i: w for i, w in recorded(given.session).items() if i in now})
    passed = len(current(given.session)) - len(stale(given.session))
    print(f"make {given.session}: {len(items)} ran, {passed} passed as they are")


if __name__ == "__main__":
    main()
