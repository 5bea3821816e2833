"""Following unusual spending: beginning an episode, keeping its figures, ending it, and what people say of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from django.contrib.auth.models import User
from django.db import transaction

from alerts.models import SpendEpisode
from core.audit import audit_event
from costs.reports import unusual
from costs.reports.spenders import Spender
from costs.reports.spending import KnownDays, Subject
from costs.reports.unusual import End, Episode, Series

FIELDS = {Subject.COMPANY: "company_id", Subject.PROVIDER: "provider_id", Subject.PROJECT: "project_id"}

_Who: TypeAlias = tuple[Subject, int, str]


class Turn(Enum):
    """What became of an episode, each of which is told once."""

    OPENED = "opened"
    DOUBLED = "doubled"
    ENDED = "ended"


def follow_spending(
    spenders: Iterable[Spender], known: KnownDays, *, now: datetime, least: Decimal
) -> Iterator[tuple[SpendEpisode, Turn]]:
    """Bring every episode up to what is known now, begin new ones, and say what there is to tell; two queries.

    ``least`` is what a day has to cost more than expected, in units of its currency.
    """
    stored: dict[_Who, list[SpendEpisode]] = defaultdict(list)
    for one in SpendEpisode.objects.with_subjects().filter(last_day__gte=known.days.first):
        stored[*subject_of(one), one.currency].append(one)
    days = _Days(known)
    for spender in spenders:
        earlier = stored.pop((spender.subject, spender.pk, spender.currency), [])
        series = _series(spender, earlier, *days.of(spender.provider_id))
        going_on = next((one for one in earlier if not one.ended), None) or _revive(earlier, series, now)
        if going_on is None:
            going_on = _begin(spender, series, earlier, now=now, least=least)
            if going_on is None:
                continue
            yield going_on, Turn.OPENED
        yield from _bring_up(going_on, series, now)
    # Somebody else pays for all that these companies used.
    for (subject, _pk, _currency), episodes in stored.items():
        for one in episodes:
            if subject is Subject.COMPANY and not one.ended:
                yield from _withdraw(one, now)


class _Days:
    """The complete and the settled days of each provider; shared by all of whom the same is known."""

    def __init__(self, known: KnownDays) -> None:
        self._known = known
        self._found: dict[int | None, tuple[frozenset[date], frozenset[date]]] = {}

    def of(self, provider_id: int | None) -> tuple[frozenset[date], frozenset[date]]:
        if provider_id not in self._found:
            coverage = self._known.of(provider_id)
            complete = self._known.complete(coverage)
            self._found[provider_id] = complete, complete - coverage.provisional
        return self._found[provider_id]


def subject_of(episode: SpendEpisode) -> tuple[Subject, int]:
    return next((subject, pk) for subject, field in FIELDS.items() if (pk := getattr(episode, field)) is not None)


def _series(
    spender: Spender, earlier: Sequence[SpendEpisode], complete: frozenset[date], settled: frozenset[date]
) -> Series:
    over = [one for one in earlier if one.ended]
    return Series(
        costs=spender.costs,
        complete=complete,
        settled=settled,
        first_use=min(spender.costs),
        apart=frozenset(day for one in over if one.ended == SpendEpisode.Ended.CALM for day in one.days),
        accepted=[
            unusual.Accepted(one.first_day, one.ratio) for one in over if one.ended == SpendEpisode.Ended.ACCEPTED
        ],
    )


def _revive(earlier: Sequence[SpendEpisode], series: Series, now: datetime) -> SpendEpisode | None:
    """What was nothing unusual for a while and is again: somebody has undone what made it so. Nothing is told twice."""
    judged = now.date() - unusual.JUDGED_FOR
    for one in earlier:
        if one.is_gone and one.last_day >= judged and _is_unusual(_follow(one, series)):
            one.ended, one.ended_at = SpendEpisode.Ended.NOT, None
            one.save()
            return one
    return None


def _begin(
    spender: Spender, series: Series, earlier: Sequence[SpendEpisode], *, now: datetime, least: Decimal
) -> SpendEpisode | None:
    """A new episode where a day of the last week is unusual that belongs to none."""
    judged = now.date() - unusual.JUDGED_FOR
    after = max((one.last_day for one in earlier), default=date.min)
    since = max(judged, date.fromordinal(after.toordinal() + 1))
    episode = unusual.find(series, since=since, least=least)
    if episode is None:
        return None
    begun = SpendEpisode(currency=spender.currency, opened_at=now, **{FIELDS[spender.subject]: spender.pk})
    begun.first_day, begun.level = episode.first.day, episode.first.level.quantize(Decimal("1e-10"))
    _note(begun, episode)
    begun.save()
    return begun


def _bring_up(stored: SpendEpisode, series: Series, now: datetime) -> Iterator[tuple[SpendEpisode, Turn]]:
    """Store what has changed, and say what there is to tell: of an episode that ends only that it does."""
    episode = _follow(stored, series)
    if episode is None:
        return
    before = (stored.last_day, stored.actual, stored.expected)
    _note(stored, episode)
    if not _is_unusual(episode):
        yield from _withdraw(stored, now)
        return
    turns = []
    if episode.has_doubled and stored.doubled_at is None:
        stored.doubled_at = now
        turns.append(Turn.DOUBLED)
    if episode.end is not None:
        is_accepted = episode.end is End.ACCEPTED
        stored.ended = SpendEpisode.Ended.ACCEPTED if is_accepted else SpendEpisode.Ended.CALM
        stored.ended_at = now
        turns = [Turn.ENDED]
    if turns or before != (stored.last_day, stored.actual, stored.expected):
        stored.save()
    if not stored.is_explained:
        for turn in turns:
            yield stored, turn


def _follow(stored: SpendEpisode, series: Series) -> Episode | None:
    return unusual.follow(series, first=stored.first_day, level=stored.level)


def _is_unusual(episode: Episode | None) -> bool:
    """Whether the day that it began with still costs more than usual."""
    return episode is not None and episode.first.impact > 0


def _withdraw(stored: SpendEpisode, now: datetime) -> Iterator[tuple[SpendEpisode, Turn]]:
    """End what is nothing unusual any more, because somebody else pays now or because days were restated."""
    stored.ended, stored.ended_at = SpendEpisode.Ended.GONE, now
    stored.save()
    if not stored.is_explained:
        yield stored, Turn.ENDED


def _note(stored: SpendEpisode, episode: Episode) -> None:
    exact = Decimal("1e-10")
    stored.last_day = episode.last_day
    stored.actual, stored.expected = episode.actual.quantize(exact), episode.expected.quantize(exact)
    stored.ratio = episode.ratio.quantize(exact)
    stored.expected_by_day = {one.day.isoformat(): f"{one.expected:.4f}" for one in episode.days}


@transaction.atomic
def say_of_episode(*, episode: SpendEpisode, feedback: str, now: datetime, made_by: User | None) -> None:
    """Keep what somebody knows of it.

    What is "expected" ends it at once: its level is usual from its first day on. Of what is "planned" nothing more is
    told, and nothing is learnt from its days. "Real" changes nothing but what everybody reads.
    """
    before = episode.get_feedback_display()
    episode.feedback, episode.feedback_at, episode.feedback_by = feedback, now, made_by
    if feedback == SpendEpisode.Feedback.EXPECTED and not episode.ended:
        episode.ended, episode.ended_at = SpendEpisode.Ended.ACCEPTED, now
    episode.save()
    audit_event(
        "unusual.judged",
        str(episode),
        actor=made_by,
        old={"feedback": before},
        new={"feedback": episode.get_feedback_display()},
    )
