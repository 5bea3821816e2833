"""The tables of the rules' pages: the rules in their order, and what applying them would change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from core.cells import Cell, from_template
from core.names import isolated, isolated_payers
from core.tables import Column, Row, Table
from providers.models import AssignmentRule, Project
from providers.services.rules import Outcome

RULE_COLUMNS = (
    Column("Order", is_number=False, css=""),
    Column("Keys whose name", is_number=False, heads_rows=True),
    Column("Belong to", is_number=False, css=""),
    Column("Provider", is_number=False, css=""),
)
CHANGE = format_html('<span class="visually-hidden">{}</span>', "Change")
OUTCOME_COLUMNS = (
    Column("API key", is_number=False),
    Column("Provider", is_number=False, css=""),
    Column("From", is_number=False),
    Column("To", is_number=False),
    Column("Rule", is_number=False, css="is-text muted"),
)


def rules_table(request: HttpRequest, rules: Sequence[AssignmentRule]) -> Table:
    """``rules`` in their order; for who may change them with the forms and links to do it."""
    may_change = request.user.has_perm("providers.assign_project")

    def row(place: int, rule: AssignmentRule) -> Row:
        cells = (
            _order(request, rule, place, is_last=place == len(rules)) if may_change else str(place),
            pattern(rule),
            _company(rule),
            isolated(rule.provider.name) if rule.provider else mark_safe('<span class="muted">Every provider</span>'),
            _links(rule, place),
        )
        return Row(cells, is_muted=bool(rule.company.archived_at), id=f"rule-{rule.pk}")

    return Table(
        "Rules in their order; the first one that fits decides",
        (*RULE_COLUMNS, Column(CHANGE, on_page=may_change)),
        tuple(row(place, rule) for place, rule in enumerate(rules, start=1)),
    )


def outcomes_table(outcomes: Iterable[Outcome]) -> Table:
    return Table(
        "Keys that would change, by provider",
        OUTCOME_COLUMNS,
        tuple(
            Row(
                (
                    _key(outcome.project),
                    isolated(outcome.project.provider.name),
                    isolated_payers(outcome.payers),
                    format_html("<strong>{}</strong>", isolated(outcome.company.name)),
                    pattern(outcome.rule),
                )
            )
            for outcome in outcomes
        ),
    )


def pattern(rule: AssignmentRule) -> SafeString:
    """ "begins with “acme”"."""
    return format_html("{} “{}”", rule.get_kind_display(), isolated(rule.pattern))


def _order(request: HttpRequest, rule: AssignmentRule, place: int, *, is_last: bool) -> Cell:
    context = {
        "rule": rule,
        "place": place,
        "is_first": place == 1,
        "is_last": is_last,
        "csrf_token": get_token(request),
    }
    return from_template("rules/_order.html", context, str(place))


def _company(rule: AssignmentRule) -> SafeString:
    return format_html(
        '<a class="row-link" href="{}">{}</a>{}',
        rule.company.get_absolute_url(),
        isolated(rule.company.name),
        mark_safe('<span class="sub">Archived: the rule is skipped</span>') if rule.company.archived_at else "",
    )


def _links(rule: AssignmentRule, place: int) -> SafeString:
    return format_html(
        '<a href="{}" aria-label="Edit rule {}">Edit</a> · <a href="{}" aria-label="Delete rule {}">Delete</a>',
        reverse("rules:edit", args=[rule.pk]),
        place,
        reverse("rules:delete", args=[rule.pk]),
        place,
    )


def _key(project: Project) -> SafeString:
    deleted = mark_safe(' <span class="badge">Deleted</span>') if project.deleted_at else ""
    return format_html("{}{}", isolated(project.display_name), deleted)
