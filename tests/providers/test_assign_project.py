"""manage.py assign_project"""

from __future__ import annotations

import pytest

from providers.models import Assignment, Company, Project
from tests.factories import make_company, make_keyless, make_project, make_provider
from tests.providers.commands import ran, refused

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture
def project() -> Project:
    return make_project(provider=make_provider(name="Production"), external_id="abc", name="Support line")


def assign(*options: str, project: str = "abc", company: str = "Acme") -> tuple[str, ...]:
    return ("assign_project", "--provider", "production", "--project", project, "--company", company, *options)


def periods(project: Project) -> list[tuple[str, list[str]]]:
    return [
        (period.starts_on.isoformat(), [share.company.name for share in period.shares.all()])
        for period in Assignment.objects.filter(project=project)
    ]


@pytest.mark.parametrize("wanted", ["abc", "Support line"])
def test_project_is_assigned_by_id_or_name(project: Project, wanted: str) -> None:
    """The company is made where it is missing, and all history moves."""
    output = ran(*assign(project=wanted))

    assert output == "1 key assigned to Acme.\n"
    assert periods(project) == [("1970-01-01", ["Acme"])]


def test_own_label_is_a_name_too(project: Project) -> None:
    """A project is found by what people call it, and by what it was called before."""
    Project.objects.update(label="Ours")

    ran(*assign(project="Ours"))
    ran(*assign(project="Support line", company="Globex"))

    assert periods(project) == [("1970-01-01", ["Globex"])]


def test_assignment_from_a_day_keeps_what_was_before(project: Project) -> None:
    """A period starts on that day."""
    ran(*assign())

    output = ran(*assign("--from", "2026-11-15", company="Globex"))

    assert output == "1 key assigned to Globex from 15 Nov 2026.\n"
    assert periods(project) == [("1970-01-01", ["Acme"]), ("2026-11-15", ["Globex"])]


def test_known_company_is_used_whatever_its_capitals(project: Project) -> None:
    """No second company of the same name is made."""
    make_company(name="Acme")

    ran(*assign(company="  ACME "))

    assert Company.objects.count() == 1
    assert periods(project)[0][1] == ["Acme"]


def test_external_id_goes_before_a_name(project: Project) -> None:
    """Somebody may name a key like another one's id."""
    make_project(provider=project.provider, external_id="def", name="abc")

    ran(*assign(project="abc"))

    assert len(periods(project)) == 1


def test_keyless_usage_can_be_assigned(project: Project) -> None:
    """By the name that it is shown under."""
    keyless = make_keyless(provider=project.provider)

    ran(*assign(project="No API key (web app)"))

    assert len(periods(keyless)) == 1


@pytest.mark.parametrize("company", ["<b>x</b>", '=HYPERLINK("http://x")', "名前"])
def test_company_may_have_any_name(project: Project, company: str) -> None:
    """A name shows as itself."""
    ran(*assign(company=company))

    assert periods(project)[0][1] == [company]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("assign_project",), "required"),
        (assign("--provider", "Nobody"), "no provider named “Nobody”"),
        (assign(project="nothing"), "has no API key “nothing”"),
        (assign(project="a\nb"), "has no API key"),
        (assign(project="a\udcff"), "characters"),
        (assign(project=""), "has no API key"),
        (assign(company=""), "name: This field cannot be blank"),
        (assign(company=" "), "blank"),
        (assign(company="c" * 121), "120"),
        (assign(company="a\udcff"), "characters"),
        (assign("--from", "2026-02-29"), "is not a date"),
        (assign("--from", "2019-12-31"), "must not be before"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("project")
def test_bad_input_is_refused(command: tuple[str, ...], words: str) -> None:
    """One line on standard error, exit code 2, nothing assigned, no company made."""
    assert words in refused(*command, code=2)
    assert (Assignment.objects.count(), Company.objects.count()) == (0, 0)


def test_ambiguous_name_is_refused(project: Project) -> None:
    """Of two keys of one name neither is guessed."""
    make_project(provider=project.provider, name="Support line")

    error = refused(*assign(project="Support line"), code=2)

    assert "2 keys are named “Support line”. Give the external id instead." in error
    assert Assignment.objects.count() == 0


def test_projects_of_other_providers_are_not_found(project: Project) -> None:
    """A key is looked for in the named provider only."""
    make_project(provider=make_provider(name="Other"), external_id="xyz")

    assert "has no API key “xyz”" in refused(*assign(project="xyz"), code=2)
