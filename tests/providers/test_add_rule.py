"""manage.py add_rule"""

from __future__ import annotations

import pytest

from providers.models import AssignmentRule, Company, Project
from providers.services.projects import ListedProject, record_listed_projects
from providers.services.rules import apply_rules, preview_rules
from tests.factories import NOW, make_company, make_project, make_provider, make_rule
from tests.providers.commands import ran, refused

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def list_agent(*tags: str, external_id: str = "agent_1", name: str = "Reception") -> Project:
    provider = make_provider()
    listed = ListedProject(external_id, name, tags=tags)
    record_listed_projects(provider=provider, listed=[listed], now=NOW, kind=Project.Kind.AGENT)
    return Project.objects.get(external_id=external_id)


def payers(project: Project) -> list[str]:
    return [period.payers for period in project.assignments.prefetch_related("shares__company")]


def test_rule_by_tag_is_the_last_and_its_company_is_made() -> None:
    """As the page makes it."""
    make_rule()

    output = ran("add_rule", "--tag", "vip", "--company", "Acme")

    rule = AssignmentRule.objects.in_force().last()
    assert rule is not None
    assert (rule.kind, rule.pattern, rule.company.name) == ("tagged", "vip", "Acme")
    assert output == "Agents with the tag “vip” belong to Acme.\n"


@pytest.mark.parametrize(
    ("option", "kind"), [("--starts-with", "starts_with"), ("--contains", "contains"), ("--matches", "matches")]
)
def test_rule_by_name_and_provider(option: str, kind: str) -> None:
    """Of one provider alone."""
    make_provider(name="Production")

    ran("add_rule", option, "acme", "--company", "Acme", "--provider", "production")

    rule = AssignmentRule.objects.get()
    assert (rule.kind, rule.pattern, str(rule.provider)) == (kind, "acme", "Production")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--tag", " ", "--company", "Acme"), "must not be empty"),
        (("--tag", "vip", "--company", "Acme", "--provider", "none"), "no provider named “none”"),
        (("--company", "Acme"), "required"),
        (("--tag", "a", "--contains", "b", "--company", "Acme"), "not allowed with"),
    ],
)
def test_bad_input_is_refused(options: tuple[str, ...], sentence: str) -> None:
    """And nothing is made."""
    assert sentence in refused("add_rule", *options, code=2)
    assert not Company.objects.exists()


def test_a_new_agent_belongs_to_the_company_of_its_tag() -> None:
    """Whatever its capitals; a part of a tag is not enough."""
    make_rule(kind="tagged", pattern="VIP", company=make_company(name="Acme"))

    assert payers(list_agent("phone", "vip")) == ["Acme"]
    assert payers(list_agent("vips", external_id="agent_2")) == []


def test_an_agent_that_gets_the_tag_later_belongs_to_it_too() -> None:
    """Tags are given after agents are made."""
    make_rule(kind="tagged", pattern="vip", company=make_company(name="Acme"))
    agent = list_agent("phone")

    tagged = ListedProject(agent.external_id, agent.name, tags=("phone", "vip"))
    record_listed_projects(provider=agent.provider, listed=[tagged], now=NOW, kind=Project.Kind.AGENT)

    assert payers(agent) == ["Acme"]


def test_agents_that_there_are_get_their_company_by_applying() -> None:
    """Keys have no tags."""
    agent, _key = list_agent("vip"), make_project(name="vip")
    make_rule(kind="tagged", pattern="vip", company=make_company(name="Acme"))

    change = apply_rules(expected=preview_rules(starts_on=None).fingerprint, starts_on=None, now=NOW)

    assert change.summary == "1 agent assigned by rules."
    assert payers(agent) == ["Acme"]
