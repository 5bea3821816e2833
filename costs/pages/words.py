"""The words and figures of a page with money: those of the provider type that it counts, or neutral ones of several."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache

from core.wording import joined
from costs.reports.metrics import METRICS, Metric
from providers import registry
from providers.models import Project, Provider
from providers.registry import FigureWords, TypeWords


@dataclass(frozen=True, kw_only=True, eq=False)
class PageWords(TypeWords):
    """The words of a type together with ``metrics``: the figures that it reports, by slug, in their order.

    A figure that none of the counted types ever reports has no column, no tile and no choice.
    """

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)  # of a figure's tile, by its slug


def words_for(providers: Iterable[Provider] | None = None) -> PageWords:
    """The words for a page that counts ``providers``; without any, or without saying which, of all installed types."""
    slugs = None if providers is None else {provider.type for provider in providers}
    return _page_words(registry.words_for(slugs), tuple(registry.figures_for(slugs).items()))


@lru_cache(maxsize=32)
def _page_words(words: TypeWords, figures: tuple[tuple[str, FigureWords], ...]) -> PageWords:
    """Built once, since a table uses it in each of thousands of cells."""
    metrics = {slug: replace(METRICS[slug], explanation=of_figure.explanation) for slug, of_figure in figures}
    notes = {slug: of_figure.note for slug, of_figure in figures}
    own = {each.name: getattr(words, each.name) for each in fields(TypeWords)}
    return PageWords(**own, metrics=metrics, notes=notes)


_ORIGINS = {
    Project.Kind.KEYLESS: "usage without an API key",
    Project.Kind.ACCOUNT: "account totals",
    Project.Kind.KEY: "days on which keys had no company, and deleted keys",
}


def unassigned_origins(kinds: Collection[str]) -> str:
    """What unassigned usage of these kinds of project is, where every API key has a company; empty without any."""
    return joined([origin for kind, origin in _ORIGINS.items() if kind in kinds]) if kinds else ""
