"""What a provider type says about itself: the words of forms and pages that differ from type to type.

A type fills these in (providers.registry.ProviderType); pages take every such sentence from here. Where a page counts
providers of several types, NEUTRAL speaks of "the provider".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Region:
    slug: str
    label: str


@dataclass(frozen=True)
class FigureWords:
    """One figure that a type reports: what it is, and what its tile adds in a few words."""

    explanation: str
    note: str = ""


@dataclass(frozen=True)
class Guide:
    """How a person gets a key, beside the form; steps may be safe HTML."""

    title: str
    steps: tuple[str, ...]
    permissions: tuple[tuple[str, str], ...] = ()  # its name, and what it is for
    note: str = "Use a key made only for cost tracking. It is stored encrypted and never shown again."


@dataclass(frozen=True, kw_only=True, eq=False)
class TypeWords:
    """The words of one type; ``name`` is how sentences call the provider, in their middle."""

    name: str
    is_named: bool = True  # it is a proper name
    pricing_takes: str = ""  # how long a cost may be missing, "24 hours"; empty where that is not known

    name_example: str = "Production"
    key_label: str = "API Key"
    key_help: str = "Copy it from the provider and paste it here."
    key_pattern: str = ""  # what its keys look like where core.secrets does not know it: masked, and refused as names
    new_key_help: str = "It is tried first, then stored encrypted and never shown again."
    region_label: str = "Region"
    region_help: str = ""
    guide: Guide | None = None

    keyless_name: str = "No API key"
    keyless_explained: str = "Some usage may carry no API key."
    plan_unit: str = "credits"  # of what a plan includes so many
    invoice_explained: str = ""  # why the next invoice is not the spend; empty where nothing is known of that
    plan_permission: str = ""  # that would bring usage per key where only account totals may be read
    agents_permission: str = ""  # without which its agents can't be listed
    first_usage: str = "Usage appears once API calls are made."
    free_note: str = "Costs can be reported late."
    disabled_reasons: Mapping[str, str] = field(default_factory=dict)  # by the reported code
    urgent_reasons: frozenset[str] = frozenset()  # of those codes the ones after which somebody should act at once

    @property
    def start(self) -> str:
        """The name where a sentence begins with it."""
        return self.name[:1].upper() + self.name[1:]

    @property
    def any(self) -> str:
        """As in "Connect a provider"."""
        return self.name if self.is_named else "a provider"

    @property
    def inside(self) -> str:
        """As in "At the provider nothing changes"."""
        return f"In {self.name}" if self.is_named else "At the provider"

    @property
    def whose(self) -> str:
        """ "Prisms'", "the provider's"."""
        return f"{self.name}'" if self.name.endswith("s") else f"{self.name}'s"

    @property
    def unpriced(self) -> str:
        takes = f"; it can take {self.pricing_takes}" if self.pricing_takes else ""
        return f"{self.start} has not priced this yet{takes}"

    @property
    def partly_unpriced(self) -> str:
        return f"Includes usage that {self.name} has not priced yet"

    @property
    def estimated(self) -> str:
        return f"Holds amounts that come from credits at a rate that was set here; {self.name} reports no cost for them"

    @property
    def provisional(self) -> str:
        return f"{self.start} may still restate this day"

    @property
    def not_reported(self) -> str:
        return f"{self.start} does not report this for this usage"

    @property
    def partly_not_reported(self) -> str:
        return f"Leaves out usage for which {self.name} does not report this"

    def disabled_reason(self, code: str) -> str:
        """Why a key is disabled; a code that is not known here is shown as reported."""
        return self.disabled_reasons.get(code, code.replace("_", " ").capitalize())


NEUTRAL = TypeWords(name="the provider", is_named=False)
NEUTRAL_FIGURES: Mapping[str, FigureWords] = {
    "cost": FigureWords("Actual spend as the provider reports it for your plan and usage."),
    "credits": FigureWords("Credits consumed, as each provider counts them.", note="as each provider counts them"),
    "minutes": FigureWords("Minutes of audio, as the provider reports them."),
    "requests": FigureWords("Number of API calls.", note="API calls"),
}
