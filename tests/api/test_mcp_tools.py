"""The tools of assistants: the REST API's figures, capped, and nothing that the token does not open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from mcp.server.mcpserver.exceptions import ToolError
from pytest_django.fixtures import Settings

from accounts.models import Role
from api.mcp import tools as module
from api.mcp.rest import Rest, own_address
from api.mcp.tools import Tools
from providers.models import Company, Project, Provider
from tests.alerts.worlds import make_budget
from tests.api.asking import make_token
from tests.factories import (
    NOW,
    make_alert,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now"), pytest.mark.any_engine]

TELLS_FIGURES = {
    "get_spend",
    "compare_periods",
    "get_statement",
    "list_unassigned",
    "list_budgets",
    "get_reconciliation",
    "explain_attribution",
}
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 22)
NO_CONTEXT: Any = None


def tools(token: str | None = None) -> Tools:
    """Of an Admin, or of whoever has ``token``."""
    rest = Rest(token or make_token())
    return Tools(lambda _context: rest)


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Requests within a test's transaction leave its connection open, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def provider() -> Provider:
    provider = make_provider(name="Production", history_from=FIRST)
    make_read_days(provider=provider, first=FIRST, last=LAST)
    return provider


@pytest.fixture
def acme() -> Company:
    return make_company(name="Acme")


@pytest.fixture
def key(provider: Provider, acme: Company) -> Project:
    """Acme's, with usage of 0.30 on 3 November and 0.50 on 20 October."""
    key = make_project(provider=provider, name="Support line", external_id="key-1")
    make_assignment(project=key, company=acme)
    make_usage(project=key, day=date(2026, 11, 3), cost=Decimal("0.3"))
    make_usage(project=key, day=date(2026, 10, 20), cost=Decimal("0.5"))
    return key


def test_spend_is_summed_exactly_by_company(key: Project) -> None:
    """With the freshness that every answer has."""
    answer = tools().get_spend(NO_CONTEXT, FIRST, LAST)

    (line,) = answer["data"]
    assert (line["company"]["name"], line["cost"], line["currency"]) == ("Acme", "0.3", "usd")
    assert answer["data_through"] == "2026-11-22"
    assert answer["provisional"] is True
    assert answer["truncated"] is False


def test_totals_hold_what_was_left_out(key: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is capped at its largest lines; its sums are of all of them."""
    monkeypatch.setattr(module, "MOST_LINES", 1)
    make_usage(project=make_project(provider=provider, external_id="key-2"), cost=Decimal("2.25"))

    answer = tools().get_spend(NO_CONTEXT, FIRST, LAST)

    assert [line["company"] for line in answer["data"]] == [None]
    assert (answer["truncated"], answer["lines"]) == (True, 2)
    assert [(total["currency"], total["cost"]) for total in answer["totals"]] == [("usd", "2.55")]


def test_lists_are_capped_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one more than is told, and of as many."""
    for name in ("Acme", "Globex"):
        make_company(name=name)

    monkeypatch.setattr(module, "MOST_LINES", 1)
    capped = tools().list_companies(NO_CONTEXT)
    monkeypatch.setattr(module, "MOST_LINES", 2)
    whole = tools().list_companies(NO_CONTEXT)

    assert ([line["name"] for line in capped["data"]], capped["truncated"]) == (["Acme"], True)
    assert (len(whole["data"]), whole["truncated"]) == (2, False)


@pytest.mark.parametrize("tool", Tools(lambda _context: Rest("")).all(), ids=lambda tool: tool.name)
def test_figures_are_described_with_what_is_unknown_and_provisional(tool: Any) -> None:
    """In the tool's own words, since not every assistant is shown the server's."""
    tells_figures = tool.name in TELLS_FIGURES

    assert ("unknown" in tool.description) == ("may still change" in tool.description) == tells_figures


def test_question_that_reads_too_much_is_refused(key: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of a sum that is not the whole."""
    monkeypatch.setattr(module, "MOST_READ", 0)

    with pytest.raises(ToolError, match="Choose fewer days"):
        tools().get_spend(NO_CONTEXT, FIRST, LAST)


def test_what_has_no_price_counts_in_no_cost(key: Project) -> None:
    """It is counted beside the sum."""
    make_usage(project=key, day=date(2026, 11, 4), cost=None, currency="")

    (total,) = tools().get_spend(NO_CONTEXT, FIRST, LAST)["totals"]

    assert (total["cost"], total["unpriced_rows"]) == ("0.3", 1)


def test_periods_are_compared_group_by_group(key: Project) -> None:
    """A group without usage in one of them counts as 0 there."""
    answer = tools().compare_periods(NO_CONTEXT, FIRST, LAST)

    (line,) = answer["data"]
    assert (line["cost"], line["compared_cost"], line["difference"]) == ("0.3", "0.5", "-0.2")
    assert answer["compared"]["first_day"] == "2026-10-10"
    assert line["whole"] is True


def test_difference_of_what_is_not_priced_is_not_whole(key: Project) -> None:
    """What is unknown is not 0."""
    make_usage(project=key, day=date(2026, 11, 4), cost=None, currency="")

    (line,) = tools().compare_periods(NO_CONTEXT, FIRST, LAST)["data"]

    assert line["whole"] is False


def test_statement_is_found_by_the_company_s_name(key: Project) -> None:
    """A month that is not closed is a draft."""
    answer = tools().get_statement(NO_CONTEXT, "ACME", "2026-11")

    assert (answer["company"]["name"], answer["status"]) == ("Acme", "draft")
    assert [line["cost"] for line in answer["lines"]] == ["0.3"]


def test_unassigned_usage_names_its_keys(key: Project, provider: Provider) -> None:
    """So that a person can assign them."""
    make_usage(project=make_project(provider=provider, name="New line", external_id="key-2"), cost=Decimal("2.25"))

    answer = tools().list_unassigned(NO_CONTEXT, FIRST, LAST)

    assert [(line["project"], line["cost"]) for line in answer["data"]] == [("New line", "2.25")]


def test_attribution_is_explained(key: Project) -> None:
    """The period in force, who decided it, and the day's usage as it was divided."""
    answer = tools().explain_attribution(NO_CONTEXT, "Support line", date(2026, 11, 3))

    assert answer["decided_by"] == "hand"
    assert answer["explanation"] == "It was decided by hand: Acme, from the beginning."
    assert [(line["company"]["name"], line["cost"]) for line in answer["usage"]] == [("Acme", "0.3")]


def test_name_that_two_keys_have_needs_an_id(key: Project, provider: Provider) -> None:
    """Nothing is guessed."""
    make_project(provider=provider, name="Support line", external_id="key-2")

    with pytest.raises(ToolError, match="give the id"):
        tools().explain_attribution(NO_CONTEXT, "Support line", FIRST)


def test_usage_without_a_key_is_explained_by_its_sharing(provider: Provider) -> None:
    """As its provider is set."""
    Provider.objects.update(keyless_sharing=Provider.KeylessSharing.EVENLY)
    keyless = make_project(provider=provider, kind=Project.Kind.KEYLESS, external_id=Project.KEYLESS_ID)

    answer = tools().explain_attribution(NO_CONTEXT, str(keyless.pk), FIRST)

    assert (answer["decided_by"], answer["period"], answer["sharing"]) == ("sharing", None, "evenly")


def test_providers_and_reconciliation_are_listed(provider: Provider) -> None:
    """How fresh they are, and never a key."""
    answer = tools().list_providers(NO_CONTEXT)

    assert [line["name"] for line in answer["data"]] == ["Production"]
    assert tools().get_reconciliation(NO_CONTEXT) == {"data": [], "truncated": False}


class TestCompanyViewer:
    """Sees its companies, and nothing of what else there is."""

    @pytest.fixture
    def viewing(self, acme: Company) -> Tools:
        make_company(name="Globex")
        return tools(make_token(role=Role.COMPANY_VIEWER, companies=[acme]))

    def test_lists_its_own_companies(self, viewing: Tools) -> None:
        """Not even how many others there are."""
        assert [line["name"] for line in viewing.list_companies(NO_CONTEXT)["data"]] == ["Acme"]

    def test_gets_no_other_statement(self, viewing: Tools) -> None:
        """As if there were no such company."""
        with pytest.raises(ToolError, match="There is no company “Globex”"):
            viewing.get_statement(NO_CONTEXT, "Globex", "2026-11")

    def test_gets_no_providers(self, viewing: Tools) -> None:
        """They are the agency's."""
        with pytest.raises(ToolError, match="does not allow this"):
            viewing.list_providers(NO_CONTEXT)


def test_token_that_lacks_a_scope_is_told_which() -> None:
    """The API's own sentence."""
    with pytest.raises(ToolError, match="lacks the scope costs:read"):
        tools(make_token(scopes=["audit:read"])).get_spend(NO_CONTEXT, FIRST, LAST)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--port", "0"], "A port is a number from 1 to 65535."),
        (["--url", "agency.example/mcp"], "--url is a whole address"),
        (["--stdio"], "ADMINISTRATE_TOKEN holds no valid API token"),
    ],
)
def test_command_refuses_bad_input(options: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a sentence, with the exit code of bad input, before it listens."""
    monkeypatch.setenv("ADMINISTRATE_TOKEN", "adm_wrong")

    with pytest.raises(CommandError, match=sentence) as refusal:
        call_command("mcp", *options)

    assert refusal.value.returncode == 2


@pytest.mark.parametrize(
    ("hosts", "redirects", "address"),
    [
        (["localhost", "127.0.0.1"], False, "http://localhost"),
        ([".agency.example"], True, "https://agency.example"),
        (["*"], False, "http://localhost"),
        (["[::1]"], False, "http://[::1]"),
    ],
)
def test_api_is_requested_under_a_name_that_it_has(
    hosts: list[str],
    redirects: bool,  # noqa: FBT001 - pytest gives it by name
    address: str,
    settings: Settings,
) -> None:
    """Else the site would refuse itself, or answer with a redirect."""
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = hosts, redirects

    assert own_address() == address


def test_budgets_are_told_with_what_is_spent(acme: Company) -> None:
    """Unknown before the first comparison."""
    make_budget("250", company=acme)

    answer = tools().list_budgets(NO_CONTEXT)

    (budget,) = answer["data"]
    assert (budget["subject"]["name"], budget["amount"], budget["currency"]) == ("Acme", "250", "usd")
    assert (budget["spent"], budget["state"], answer["truncated"]) == (None, "unknown", False)


def test_newest_alerts_are_kept_of_many(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newest first; what was left out is said."""
    monkeypatch.setattr(module, "MOST_LINES", 2)
    alerts = [make_alert(company=acme).pk for _ in range(3)]

    answer = tools().list_alerts(NO_CONTEXT)

    assert [alert["id"] for alert in answer["data"]] == [alerts[2], alerts[1]]
    assert answer["truncated"] is True


def test_alerts_are_narrowed_by_name_and_day(acme: Company) -> None:
    """A company that the token may not see is unknown."""
    make_alert(raised_at=NOW, ended_at=NOW)
    own = make_alert(company=acme, raised_at=NOW)

    for answer in (
        tools().list_alerts(NO_CONTEXT, company="acme", since=NOW.date()),
        tools().list_alerts(NO_CONTEXT, only_open=True),
    ):
        assert [alert["id"] for alert in answer["data"]] == [own.pk]
    with pytest.raises(ToolError, match="no company"):
        tools().list_alerts(NO_CONTEXT, company="Globex")


def test_days_before_there_were_any_are_refused() -> None:
    """In a sentence."""
    with pytest.raises(ToolError, match="not as many days before"):
        tools().compare_periods(NO_CONTEXT, date.min, LAST)


def test_question_that_is_too_long_is_refused() -> None:
    """In a sentence, too."""
    with pytest.raises(ToolError, match="too much to ask at once"):
        tools().get_spend(NO_CONTEXT, FIRST, LAST, company=["x" * 100_000])
