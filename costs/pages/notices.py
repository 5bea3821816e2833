"""What pages warn about: providers that are late or failing, and data that is only simulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse

from core.days import EARLIEST_DAY
from core.names import isolated_in
from core.wording import ago, count, joined
from costs.pages import formatters
from costs.pages.formatters import SIMULATED_REGION
from costs.usage.coverage import Coverage
from providers.models import Provider
from providers.services.queueing import NIGHTLY_DAYS

Person = User | AnonymousUser

# What another key helps against.
KEY_FAILURES = {"invalid_key", "missing_permission", "key_unreadable"}


# More providers than this are named, but not each led to; and of more than that only so many are named.
MOST_LINKS = 5
MOST_NAMED = 10


@dataclass(frozen=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True)
class Notice:
    """A sentence or more, and what the person who reads it may do."""

    text: str
    links: tuple[Link, ...] = ()

    def about(self, providers: Iterable[Provider]) -> Notice:
        """The same with the names of ``providers`` isolated."""
        names = [provider.name for provider in providers]
        links = tuple(Link(isolated_in(link.label, names), link.url) for link in self.links)
        return Notice(isolated_in(self.text, names), links)


def stale_notices(providers: Iterable[Provider], now: datetime, user: Person) -> list[Notice]:
    """One notice for each provider that is late, has failed, or was paused because its key was refused."""
    stale = {Provider.Status.LATE, Provider.Status.FAILED}
    return [
        Notice(_staleness(provider, now), _remedies(provider, user)).about([provider])
        for provider in providers
        if provider.status(now) in stale or (provider.status(now) == Provider.Status.PAUSED and provider.pause_reason)
    ]


def _staleness(provider: Provider, now: datetime) -> str:
    """The cause, where there is one, before how old the figures are: they may be minutes old, and the last ones."""
    cause = provider.pause_reason or provider.failure_text
    synced = (
        f"last synced {ago(provider.last_synced_at, now)}" if provider.last_synced_at else "has not been synced yet"
    )
    lead = f"{provider.name}: {cause} " if cause else ""
    return f"{lead}{provider.name} {synced}. Figures may be incomplete."


def _remedies(provider: Provider, user: Person) -> tuple[Link, ...]:
    page = Link("Show the provider", provider.get_absolute_url())
    needs_key = bool(provider.pause_reason) or provider.failure_code in KEY_FAILURES
    if not needs_key or not _may(user, "change_provider"):
        return (page,)
    return (Link("Replace key", reverse("providers:replace_key", args=[provider.pk])), page)


def simulated_only(providers: Iterable[Provider]) -> list[Provider]:
    return [provider for provider in providers if provider.region == SIMULATED_REGION]


def simulated_notice(providers: Iterable[Provider]) -> Notice | None:
    """That the amounts of those that are simulated are invented; None where none is."""
    simulated = simulated_only(providers)
    if not simulated:
        return None
    text = f"The keys, usage and costs of {_listed(simulated)} are invented."
    return Notice(text).about(simulated[: MOST_NAMED + 1])


def unread_notice(
    providers: Iterable[Provider], coverages: Mapping[int, Coverage], *, user: Person | None = None, today: date
) -> Notice | None:
    """What the figures of a range lack and what brings it; None where every day that has begun was read.

    With links to what ``user`` may do about it; without a user there are none.
    """
    lacking = [provider for provider in providers if coverages[provider.pk].unread]
    if not lacking:
        return None
    if len(lacking) == 1:
        return _unread_of(lacking[0], coverages[lacking[0].pk], user, today).about(lacking)
    text = f"Days of this range have not been read yet from {_listed(lacking)}. Figures may be incomplete."
    by_hand = ((each, days) for each in lacking if (days := _by_hand(each, coverages[each.pk], today)))
    first = tuple(islice(by_hand, MOST_LINKS))  # there may be a thousand
    if first:
        text += " No sync reads days before a provider's history by itself: re-sync them by hand."
    links = tuple(_resync(provider, days, f"Re-sync {provider.name}") for provider, days in first)
    return Notice(text, links if _may(user, "sync_provider") else ()).about(lacking[: MOST_NAMED + 1])


def _unread_of(provider: Provider, known: Coverage, user: Person | None, today: date) -> Notice:
    days, unread = len(known.unread) + len(known.read), len(known.unread)
    lead = (
        f"{provider.name}: {unread:,} of {count(days, 'day')} of this range {'has' if unread == 1 else 'have'} "
        "not been read yet. Figures may be incomplete."
    )
    if provider.disconnected_at is not None:
        return Notice(f"{lead} It is disconnected: only with a new key can they be read.")
    if provider.paused_at is not None:
        resume = Link("Resume syncing", reverse("providers:resume", args=[provider.pk]))
        text = f"{lead} Syncing is paused; resume it to read them."
        return Notice(text, (resume,) if _may(user, "change_provider") else ())
    if by_hand := _by_hand(provider, known, today):
        some = "" if len(by_hand) == unread else f" {len(by_hand):,} of them are before that."
        text = (
            f"{lead} Its history begins on {formatters.day(provider.history_from)}, and no sync reads earlier days by "
            f"itself.{some} Re-sync them by hand."
        )
        link = _resync(provider, by_hand, "Re-sync these days")
        return Notice(text, (link,) if _may(user, "sync_provider") else ())
    return Notice(f"{lead} The next sync that succeeds reads them.")


def _may(user: Person | None, act: str) -> bool:
    return user is not None and user.has_perm(f"providers.{act}")


def _by_hand(provider: Provider, known: Coverage, today: date) -> list[date]:
    """The unread days that only a manual sync reads, oldest first."""
    if provider.paused_at is not None or provider.disconnected_at is not None:
        return []
    scheduled_from = min(provider.history_from, today - timedelta(days=NIGHTLY_DAYS - 1))
    return [day for day in known.unread if EARLIEST_DAY <= day < scheduled_from]


def _resync(provider: Provider, days: Sequence[date], label: str) -> Link:
    query = urlencode({"from": days[0].isoformat(), "to": days[-1].isoformat()})
    return Link(label, f"{reverse('providers:resync', args=[provider.pk])}?{query}")


def _listed(providers: Sequence[Provider]) -> str:
    """ "A, B and C"; of many the first ones, and how many others."""
    names = [provider.name for provider in providers[:MOST_NAMED]]
    others = len(providers) - len(names)
    return joined([*names, f"{others:,} others"] if others > 1 else [provider.name for provider in providers])
