"""The recorded runs of the classic examples still describe the examples."""

from importlib.metadata import version

from tests import runner
from tests.classic import versions


def test_the_table_was_measured_with_these_examples():
    assert versions.fingerprint() in versions.TABLE.read_text("utf-8"), (
        f"{versions.TABLE.name} is out of date, the examples changed: make versions"
    )


def test_the_table_says_what_the_installed_versions_do(tmp_path):
    verdicts = []
    for example in versions.EXAMPLES:
        with runner.Script(tmp_path) as script:
            result = script.run(example.read_text("utf-8"))
        verdicts.append(versions.verdict(result.output, result.error or ""))
    row = versions.row(version("tensorflow"), version("keras"), verdicts)
    assert row in versions.TABLE.read_text("utf-8").splitlines(), (
        f"{versions.TABLE.name} is out of date, it lacks {row}: make versions"
    )
