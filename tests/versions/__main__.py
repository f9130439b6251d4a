"""Run what is out of date on other versions; `make versions` calls it."""

import argparse
import subprocess
import sys

from tests.versions import environments, files, files_table, matrix, table, tables


def main() -> None:
    """Run the parts that are asked for, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", nargs="*", help="pairs, such as 2.16.2+3.3.3")
    parser.add_argument(
        "--part",
        choices=("scripts", "pages", "tables", "files"),
        help="nothing but this",
    )
    parser.add_argument("--page", action="append", default=[], help="docs/…/….md")
    parser.add_argument("--again", action="store_true", help="what is up to date, too")
    parser.add_argument("--list", action="store_true", help="say which pairs there are")
    given = parser.parse_args()
    if given.list:
        print(*environments.OTHERS, sep="\n")
        return
    parts = [given.part] if given.part else ["scripts", "pages"]
    if not given.part and not given.pairs and not given.page:
        parts += ["tables", "files"]
    if "scripts" in parts:
        pages = matrix.with_scripts(given.again, given.page)
        command = [sys.executable, "-m", "pytest", "--other-versions", *pages]
        if pages and subprocess.run(command, cwd=environments.ROOT).returncode:
            sys.exit("a script of another version failed, see above")
    if "pages" in parts:
        matrix.main(given.pairs, given.again, given.page)
        table.write()
    if "tables" in parts and (given.again or tables.stale()):
        tables.main()
    if "files" in parts:
        if given.again or files.stale(files.load()):
            files.main(given.again)
        files_table.write()


if __name__ == "__main__":
    main()
