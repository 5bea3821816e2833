"""Changes of the workspace's keys while a server runs: renamed, deleted, disabled, limited and new ones.

They act as every edit does, see `edits`. Keys are named by their slugs, which are in `cast`.
"""

from dataclasses import KW_ONLY, dataclass, replace
from datetime import date

from elevenlabs_sync.simulator import cast
from elevenlabs_sync.simulator.cast import SimulatedKey
from tests.simulation.edits import Edit


@dataclass(frozen=True)
class _KeyEdit(Edit):
    """Acts on the key with the slug `key`."""

    key: str

    @property
    def of_key(self) -> str | None:
        return self.key

    def keys(self, keys: tuple[SimulatedKey, ...]) -> tuple[SimulatedKey, ...]:
        return tuple(self._change(key) if key.slug == self.key else key for key in keys)

    def _change(self, key: SimulatedKey) -> SimulatedKey:
        """What becomes of the key."""
        return key


@dataclass(frozen=True)
class RenameKey(_KeyEdit):
    """The key has another name, in its past usage too; its identity and its figures stay."""

    name: str

    def _change(self, key: SimulatedKey) -> SimulatedKey:
        return replace(key, name=self.name)


@dataclass(frozen=True)
class DeleteKey(_KeyEdit):
    """The key is deleted on a UTC day: not listed from that day on, not used any more, its history stays."""

    on: date

    def _change(self, key: SimulatedKey) -> SimulatedKey:
        return replace(key, deleted_on=self.on, last_used=_earlier(key.last_used, self.on))


@dataclass(frozen=True)
class DisableKey(_KeyEdit):
    """The key is disabled on a UTC day: still listed, with the reason, and not used any more."""

    on: date
    reason: str = "self_disabled"

    def _change(self, key: SimulatedKey) -> SimulatedKey:
        return replace(key, disabled_on=self.on, disable_reason=self.reason, last_used=_earlier(key.last_used, self.on))


@dataclass(frozen=True)
class LimitKey(_KeyEdit):
    """The key is listed with a limit of credits per period, and with the day on which it expires."""

    credits: int | None = None
    expires_on: date | None = None

    def _change(self, key: SimulatedKey) -> SimulatedKey:
        return replace(key, credit_limit=self.credits, expires_on=self.expires_on)


@dataclass(frozen=True)
class AddKey(Edit):
    """A new key, used every day from `since` on; without `account` a user's own, which is never listed."""

    slug: str
    name: str
    since: date
    _: KW_ONLY
    account: str | None = cast.CLIENT_WORK
    model: str = cast.FLASH.model_id
    credits_per_day: int = 1000

    def __post_init__(self) -> None:
        if self.account is not None and self.account not in cast.SERVICE_ACCOUNTS:
            raise ValueError(f"no such service account: {self.account}")
        if self.model not in {model.model_id for model in cast.MODELS}:
            raise ValueError(f"no such model: {self.model}")

    @property
    def new_key(self) -> str | None:
        return self.slug

    def keys(self, keys: tuple[SimulatedKey, ...]) -> tuple[SimulatedKey, ...]:
        model = next(model for model in cast.MODELS if model.model_id == self.model)
        key = SimulatedKey(
            self.slug,
            self.name,
            (cast.Use(model, self.credits_per_day),),
            cast.STEADY,
            self.account,
            created_on=self.since,
            first_used=self.since,
        )
        return (*keys, key)


KEY_EDITS: tuple[type[Edit], ...] = (RenameKey, DeleteKey, DisableKey, LimitKey, AddKey)


def _earlier(last_used: date, end: date) -> date:
    """The last day of use when it also ends before `end`."""
    return min(last_used, end - date.resolution)
