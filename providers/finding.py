"""Which API keys and agents somebody is looking for: what an address says of them, and whether a key fits.

The list of keys shows what fits, and "all that match" assigns exactly that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import QueryDict

from providers.models import NO_PERIODS, Assignment, Company, Payers, Periods, Project

UNUSED_AFTER = timedelta(days=30)
LONGEST_TEXT = 200

# What can be said of a key with yes, by the parameter that asks for it.
FLAGS: Mapping[str, str] = {
    "unassigned": "Unassigned",
    "split": "Split",
    "by_rule": "Assigned by a rule",
    "unused": f"Not used for {UNUSED_AFTER.days} days",
    "disabled": "Disabled",
    "deleted": "Deleted",
}
PARAMETERS = ("q", "provider", "company", "kind", *FLAGS)


@dataclass(frozen=True)
class KnownKey:
    """A project – an API key, an agent, a person, usage without a key – and who pays for it when."""

    project: Project  # with its provider, and what with_presence() says of it
    periods: Periods

    def payers_on(self, day: date) -> Payers:
        return self.periods.payers_on(day)


@dataclass(frozen=True)
class KeyFilter:
    """What is wanted; whatever is empty does not matter."""

    text: str = ""  # every word of it is in a name, a label, a hint, a tag, or the name of a workspace or payer
    provider: int | None = None
    company: int | None = None  # that pays today
    kind: str = ""  # a Project.Kind
    flags: frozenset[str] = frozenset()  # of FLAGS

    @classmethod
    def of(cls, query: QueryDict) -> KeyFilter:
        """What an address asks for; values that name nothing are left out."""
        kind = query.get("kind", "")
        return cls(
            text=" ".join(query.get("q", "").replace("\x00", "").split())[:LONGEST_TEXT],
            provider=_number(query.get("provider", "")),
            company=_number(query.get("company", "")),
            kind=kind if kind in Project.Kind.values else "",
            flags=frozenset(flag for flag in FLAGS if query.get(flag) == "yes"),
        )

    @property
    def is_empty(self) -> bool:
        return self == KeyFilter()

    @property
    def query(self) -> str:
        """What of() makes the same of; in one order, so that the same filter is the same text."""
        query = QueryDict(mutable=True)
        values = {"q": self.text, "provider": self.provider, "company": self.company, "kind": self.kind}
        query.update({name: str(value) for name, value in values.items() if value})
        query.update({flag: "yes" for flag in FLAGS if flag in self.flags})
        return query.urlencode()

    def fits(self, key: KnownKey, companies: Mapping[int, Company], today: date) -> bool:
        project, payers = key.project, key.payers_on(today)
        return (
            self.provider in (None, project.provider_id)
            and (self.company is None or any(payer == self.company for payer, _percent in payers))
            and self.kind in ("", project.kind)
            and all(_is(flag, key, today) for flag in self.flags)
            and self._is_named(project, (companies[payer].name for payer, _percent in payers))
        )

    def _is_named(self, project: Project, payers: Iterable[str]) -> bool:
        if not self.text:
            return True
        names = (project.name, project.label, project.display_name, project.hint, project.provider.name)
        text = "\n".join([*names, *map(str, project.tags), *payers]).casefold()
        return all(word in text for word in self.text.casefold().split())


def known_keys() -> list[KnownKey]:
    """All there are; two queries."""
    periods = Assignment.objects.all().by_project()
    projects = Project.objects.select_related("provider").with_presence()
    return [KnownKey(project, periods.get(project.pk, NO_PERIODS)) for project in projects]


def matching_projects(query: str, *, today: date) -> list[Project]:
    """The projects that fit what ``query``, a KeyFilter's, asks for; three queries."""
    wanted = KeyFilter.of(QueryDict(query[:2000]))
    companies = {company.pk: company for company in Company.objects.all()}
    return [key.project for key in known_keys() if wanted.fits(key, companies, today)]


def _is(flag: str, key: KnownKey, today: date) -> bool:
    project, period = key.project, key.periods.on(today)
    match flag:
        case "unassigned":
            return not key.payers_on(today)
        case "split":
            return len(key.payers_on(today)) > 1
        case "by_rule":
            return period is not None and period.source == Assignment.Source.RULE
        case "unused":
            return project.last_used_on is None or project.last_used_on <= today - UNUSED_AFTER
        case "disabled":
            return project.disabled_at is not None
    return project.deleted_at is not None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
