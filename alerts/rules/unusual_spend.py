"""Somebody spends far more than usual: told when it begins, when it doubles, and when it is over."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from alerts.models import Alert, Severity, SpendEpisode
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World
from alerts.services.episodes import Turn, follow_spending, subject_of
from core.money import Money, to_tenth
from core.wording import joined
from costs.reports.contributors import Contributor, Contributors, contributors
from costs.reports.spending import Subject

SLUG = "spend.unusual"
_OVER = {
    SpendEpisode.Ended.CALM: "is over",
    SpendEpisode.Ended.ACCEPTED: "is usual now",
    SpendEpisode.Ended.GONE: "is gone",
}


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    for episode, turn in follow_spending(world.spenders, world.known, now=world.now, least=limit):
        yield _finding(episode, turn)
        if turn is Turn.ENDED:
            told = [f"{SLUG}:{episode.pk}:{each.value}" for each in (Turn.OPENED, Turn.DOUBLED)]
            Alert.objects.open().filter(key__in=told).update(ended_at=world.now)


def _finding(episode: SpendEpisode, turn: Turn) -> Finding:
    subject, pk = subject_of(episode)
    if episode.is_gone:
        behind = Contributors((), (), None, None)
    else:
        behind = contributors(subject, pk, episode.currency, episode.days)
    company = episode.company
    title, client_title = (_title(episode, turn, is_client=is_client) for is_client in (False, True))
    return Finding(
        occurrence=f"{episode.pk}:{turn.value}",
        title=f"{episode.subject}: {title}",
        sentences=(*_figures(episode, turn), *sentences_behind(behind, episode.currency, of_key=subject)),
        path=episode.get_absolute_url(),
        provider=episode.provider or (episode.project.provider if episode.project else None),
        company=company,
        # What one key spends more is mostly told of its company, too.
        severity=Severity.INFO if turn is Turn.ENDED or episode.project else None,
        facts={
            "episode": episode.pk,
            "subject": episode.subject,
            "what": turn.value,
            "from": episode.first_day.isoformat(),
            "to": episode.last_day.isoformat(),
            "currency": episode.currency,
            "actual": f"{episode.actual.normalize():f}",
            "expected": f"{episode.expected:.4f}",
            "impact": f"{episode.impact.amount:.4f}",
        },
        client_title=client_title[:1].upper() + client_title[1:] if company else "",
        client_sentences=_for_clients(episode, turn) if company else (),
        client_path=episode.subject_url if company else "",
    )


def _title(episode: SpendEpisode, turn: Turn, *, is_client: bool) -> str:
    days = episode.days.days
    if turn is Turn.ENDED:
        return f"unusual spending of {days} {_OVER[SpendEpisode.Ended(episode.ended)]}"
    if turn is Turn.DOUBLED:
        return f"unusual spending since {episode.first_day.day} {episode.first_day:%b} has doubled"
    if is_client and _is_price_only(episode):
        return f"unusual spending on {days}"
    return f"{episode.impact} more than usual on {days}"


def _is_price_only(episode: SpendEpisode) -> bool:
    return episode.company is not None and episode.company.is_price_only


def _figures(episode: SpendEpisode, turn: Turn) -> list[str]:
    """What it cost and what was to be expected; nothing of who is behind it."""
    days = episode.days.days
    if episode.is_gone:
        return [
            f"What was spent on {days} has changed since this was told: there is nothing unusual about it any more."
        ]
    lines = [f"{episode.spent} was spent on {days}, where {episode.usual} is usual ({_times(episode)} as much)."]
    if turn is Turn.ENDED and episode.ended == SpendEpisode.Ended.ACCEPTED:
        lines.append("It has gone on for two weeks, and counts as usual from now on.")
    elif turn is Turn.ENDED:
        lines.append("The two days after that were ordinary again.")
    return lines


def _for_clients(episode: SpendEpisode, turn: Turn) -> tuple[str, ...]:
    """To a "price only" company's viewers without amounts, which are costs."""
    if not _is_price_only(episode) or episode.is_gone:
        return tuple(_figures(episode, turn))
    return (f"{_times(episode)} as much as usual was spent on {episode.days.days}.",)


def _times(episode: SpendEpisode) -> str:
    return f"{to_tenth(episode.actual / episode.expected)} times" if episode.expected else "many times"


def sentences_behind(behind: Contributors, currency: str, *, of_key: Subject | None = None) -> list[str]:
    """What it comes from, in sentences; a key's own spend comes from no other key."""

    def listed(found: Iterable[Contributor]) -> str:
        return joined([f"{one.label} (+{Money(currency, one.more)})" for one in found])

    lines = []
    if behind.projects and of_key is not Subject.PROJECT:
        lines.append(f"It comes mostly from {listed(behind.projects)}.")
    if behind.models:
        lines.append(f"By model: {listed(behind.models)}.")
    if behind.by_quantity is not None and behind.by_price is not None:
        more, dearer = (Money(currency, amount) for amount in (behind.by_quantity, behind.by_price))
        lines.append(
            f"Compared with the four weeks before, what was used makes {more} of the change and its price {dearer}."
        )
    return lines


RULE = Rule(
    slug=SLUG,
    label="Unusual spending",
    text="When a day of a company, a provider or a large API key costs clearly more than its weekday usually does, by "
    "at least an amount; again if it doubles, and when it is over. It takes three weeks of settled days to know what "
    "is usual.",
    severity=Severity.WARNING,
    find=find,
    limit=Limit(Decimal(10), "more than usual, in the currency of the spend"),
    is_event=True,
)
