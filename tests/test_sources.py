"""What a page's record depends on: the functions that it uses, and not their file."""

import pytest

from tests import sources

TOOLS = """
LIMIT = 3

def used(x):
    return helper(x)

def helper(x):
    return x + LIMIT

def other(x):
    return x
"""


def test_needed_follows_what_is_used_and_nothing_else():
    assert list(sources.needed(["used"], [TOOLS])) == ["LIMIT", "helper", "used"]
    assert list(sources.needed(["other"], [TOOLS])) == ["other"]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("from bn_tools import a, b\nb()", {"a", "b"}),
        ("import keras", set()),
        ("import bn_tools\nbn_tools.a()", None),
        ("from bn_tools import *", None),
        ("from bn_tools import a\nimport importlib\nfind('bn_tools')", None),
        ("from bn_tools import (", None),
    ],
)
def test_imported_tells_the_names_or_that_it_cannot(code, names):
    assert sources.imported(code, {"bn_tools"}) == names
