"""``diagnose`` names each seeded fault, and finds nothing wrong with sound models."""

import json
import re

import pytest

from tests import runner
from tests.conftest import report
from tests.test_site import ROOT

SOURCE = (ROOT / "docs" / "diagnose.py").read_text("utf-8")
RUN = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "docs")!r}]
from tests import faults
faults.main()
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Pairs of what a diagnosis has to say and what it says, in one process."""
    with runner.Script(tmp_path_factory.mktemp("faults")) as script:
        result = script.run(RUN)
    assert result.error is None, result.error
    return [json.loads(line) for line in result.output.splitlines()]


def test_each_fault_is_named(said):
    report(
        f"{wanted['model']}, {wanted['fault'] or 'sound'}: {found['cause']}, not "
        f"{wanted['cause']}; it says: {found['text']}"
        for wanted, found in said
        if found["cause"] != wanted["cause"]
        or not all(words in found["text"] for words in wanted["words"])
    )


def test_the_model_stays_as_it_is(said):
    report(
        f"{wanted['model']}, {wanted['fault']}: {found['moved']}"
        for wanted, found in said
        if found["moved"]
    )


def test_the_faults_are_many_and_on_real_architectures(said):
    faults = {wanted["fault"] for wanted, _ in said if wanted["fault"]}
    sound = {wanted["model"] for wanted, _ in said if not wanted["fault"]}
    assert len(faults) >= 25
    assert sound >= {"mobilenet", "unet", "resnet", "recurrent"}
    for model in sound:
        assert any(w["model"] == model and w["fault"] for w, _ in said), model


def test_a_diagnosis_leads_to_a_page_of_this_site(said):
    url = re.search(r'SITE_URL, "(.*?)"', (ROOT / "mkdocs.yml").read_text("utf-8"))[1]
    assert f'SITE = "{url}"' in SOURCE
    for wanted, found in said:
        page = found["link"].removeprefix(url).strip("/")
        assert (ROOT / "docs" / f"{page}.md").is_file(), (wanted["fault"], page)
    pages = dict(re.findall(r"([a-z ]+): ([\w/-]+)", SOURCE.split('"""')[3]))
    for cause, page in pages.items():
        page = page if page.startswith("verify/") else f"trouble/{page}"
        assert (ROOT / "docs" / f"{page}.md").is_file(), (cause, page)


def test_the_script_is_short():
    assert SOURCE.count("\n") <= 150
