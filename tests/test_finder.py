"""The page that leads from question to question to the cause."""

import itertools

from tests import finder
from tests.test_house import links, of_kind, source
from tests.test_site import ROOT
from tests.versions.tables import write

PAGE = finder.PAGE.relative_to(ROOT).as_posix()
STEPS = [step for step in finder.steps() if step.answers or step.anchor == finder.END]


def test_the_picture_shows_the_page(request):
    if request.config.getoption("update_outputs"):
        write(finder.PICTURE, finder.drawn())
    assert finder.PICTURE.read_text("utf-8") == finder.drawn(), (
        f"{finder.PICTURE.name} is out of date: make outputs"
    )


def test_each_question_leads_to_causes_and_to_the_next():
    assert [STEPS[0].anchor, STEPS[-1].anchor] == [finder.LOOK, finder.END]
    for step, following in itertools.pairwise(STEPS):
        assert all(answer.links for answer in step.answers), f"{step.title}: no link"
        onward = [a.links[0][1] for a in step.answers if a.leads_on]
        assert onward == [f"#{following.anchor}"], (
            f"{step.title}: one answer leads on, to {following.title}"
        )
        assert len(step.answers) > 1, f"{step.title}: no answer leads to a cause"


def test_it_leads_to_each_symptom_and_each_group_of_traps():
    direct = links(PAGE, source(PAGE)[1])
    symptoms = set(of_kind("symptom"))
    assert symptoms <= direct, f"not linked: {sorted(symptoms - direct)}"
    near = direct.union(*(links(name, source(name)[1]) for name in direct))
    traps = of_kind("trap")
    groups = {name.rpartition("/")[0] for name in traps}
    reached = {name.rpartition("/")[0] for name in traps if name in near}
    assert reached == groups, f"two links do not lead to {sorted(groups - reached)}"
