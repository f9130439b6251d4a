"""Prove the recipes of the pages on the zoo and record it: ``make zoo``.

Without arguments, all recipes whose record is out of date; with parts of names, those,
whatever the record says: ``python -m tests.zoo model_class:OwnStep --member resnet``.
Each recipe is recorded when it is done, so an interrupted run goes on where it stopped.
"""

import argparse
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import runner
from tests.versions import environments
from tests.zoo import core
from tests.zoo.members import MEMBERS


def cell(recipe: str, name: str) -> list[str]:
    """Prove a recipe on a member, in processes of their own; return the verdict."""
    parts = ["prove", "elsewhere"] if core.REGISTRY[recipe].elsewhere else ["prove"]
    verdict = None
    with tempfile.TemporaryDirectory(prefix="zoo-") as folder:
        for part in parts:
            with runner.Script(Path(folder)) as script:
                code = "from tests.zoo.core import run_cell\n"
                code += f"run_cell({recipe!r}, {name!r}, {part!r})"
                result = script.run(code, timeout=1200)
            if result.error is not None:
                return ["failed", f"({part}) {result.error}\n{result.output[-500:]}"]
            lines = [line for line in result.output.splitlines() if "verdict: " in line]
            verdict = json.loads(lines[-1].partition("verdict: ")[2])
            if verdict[0] != "yes":
                break
    return verdict


def recorded(known: dict) -> dict:
    """Return the record of the recipes that there are."""
    done = json.loads(core.RESULTS.read_text("utf-8")) if core.RESULTS.exists() else {}
    return {recipe: result for recipe, result in done.items() if recipe in known}


def main() -> None:
    """Prove what is out of date, or what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipes", nargs="*", help="names of recipes, or parts of them")
    parser.add_argument("--member", choices=MEMBERS, help="on one member; not recorded")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    known = core.load_proofs()
    done = recorded(known)
    if options.recipes:
        wanted = [r for r in known if any(part in r for part in options.recipes)]
        if not wanted:
            parser.error(f"no recipe is named so; one is {next(iter(known))}")
    else:
        wanted = [
            recipe
            for recipe in known
            if done.get(recipe, {}).get("fingerprint") != core.fingerprint(recipe)
        ]
    members = [options.member] if options.member else list(MEMBERS)
    # Some old files are written there; two workers would install one at once.
    for start, pair in {
        "rescue/keras_2": environments.KERAS_2,
        "rescue/optimizer_state": environments.KERAS_2,
        "rescue/tf_keras": environments.TF_KERAS,
    }.items():
        if any(recipe.startswith(start) for recipe in wanted):
            environments.install(pair)
    failed = False
    with ThreadPoolExecutor(options.workers) as pool:
        cells = {r: [pool.submit(cell, r, name) for name in members] for r in wanted}
        for recipe, results in cells.items():
            before = core.fingerprint(recipe)
            verdicts = dict(zip(members, (r.result() for r in results), strict=True))
            counts = [v[0] for v in verdicts.values()]
            print(
                recipe, {c: counts.count(c) for c in dict.fromkeys(counts)}, flush=True
            )
            for name, (kind, text) in verdicts.items():
                if kind == "failed" or options.recipes:
                    print(f"    {name}: {kind} {text}", flush=True)
            if "failed" in counts:
                failed = True
            elif not options.member:
                # Read again: another run may have recorded since.
                done = recorded(known)
                done[recipe] = {"fingerprint": before, "results": verdicts}
                core.write(done)
    sys.exit(failed)


if __name__ == "__main__":
    main()
