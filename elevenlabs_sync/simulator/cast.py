"""Who uses the simulated workspace: its models, its API keys and the rhythm of each.

Only facts about the fictional cast live here; the day-by-day figures are drawn in `workspace`. Every date is absolute,
or tied to a calendar year, so that no figure depends on the day of a request.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

MODEL_V3_RELEASED = date(2026, 6, 2)
"""First day with usage of eleven_v3."""

PERMILLE = 1000

SURGE = 5
"""How many times a plain day's use a surge is."""

INCIDENT_BEGINS, INCIDENT_LASTS = timedelta(days=4), 3
"""How long before the day that follows an incident it began, and its days: over by the day before that one."""


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """A model with the rates that turn its credits into minutes, requests and money."""

    model_id: str
    name: str
    product_type: str
    nano_usd_per_credit: int
    credits_per_minute: int
    credits_per_request: int
    released_on: date = date.min


@dataclass(frozen=True, slots=True)
class Use:
    """How many credits of a model a key spends on a plain day, before weekday, growth and chance.

    `in_a_loop` is what comes on top on a day of the incident, whatever its weekday.
    """

    model: SimulatedModel
    credits_per_day: int
    in_a_loop: int = 0


@dataclass(frozen=True, slots=True)
class SimulatedKey:
    """An API key, or the web app (`keyless`), over its whole life.

    `week` holds Monday to Sunday in thousandths of a plain day. `quiet` is the share of days, in thousandths, on which
    nothing happens at all. `first_used` and `last_used` are inclusive. A key with `account` is listed under that
    service account until `deleted_on`; without one it is a user's own key and is only ever seen in usage.
    On the days of the month in `surges` it uses SURGE times as much. `credit_limit` (credits per period) and
    `expires_on` only show in the list.
    """

    slug: str
    name: str
    uses: tuple[Use, ...]
    week: tuple[int, int, int, int, int, int, int]
    account: str | None = None
    quiet: int = 0
    created_on: date = date(2024, 2, 5)
    first_used: date = date.min
    last_used: date = date.max
    disabled_on: date | None = None
    deleted_on: date | None = None
    keyless: bool = False
    disable_reason: str = "self_disabled"
    credit_limit: int | None = None
    expires_on: date | None = None
    surges: tuple[int, ...] = ()

    def listed_on(self, day: date) -> bool:
        """Whether the service accounts show this key on `day`."""
        return (
            self.account is not None and self.created_on <= day and (self.deleted_on is None or day < self.deleted_on)
        )

    def used_on(self, day: date) -> bool:
        """Whether `day` lies in the days on which the key is in use."""
        return self.first_used <= day <= self.last_used

    def busier_on(self, day: date) -> int:
        """How many times its plain use `day` has."""
        return SURGE if day.day in self.surges else 1


@dataclass(frozen=True, slots=True)
class SimulatedAgent:
    """A voice agent over its whole life; its usage is on top of that of its `key`.

    `key` is the slug of the API key that starts its calls, None for a public widget or a `phone` line, whose callers
    send no key. `deleted_on` takes it off the list and ends its usage.
    """

    slug: str
    name: str
    tags: tuple[str, ...]
    uses: tuple[Use, ...]
    week: tuple[int, int, int, int, int, int, int]
    key: str | None = None
    phone: bool = False
    created_on: date = date(2025, 3, 3)
    archived: bool = False
    deleted_on: date | None = None

    def exists_on(self, day: date) -> bool:
        return self.created_on <= day and (self.deleted_on is None or day < self.deleted_on)


MULTILINGUAL = SimulatedModel("eleven_multilingual_v2", "Eleven Multilingual v2", "text_to_speech", 180_000, 900, 240)
TURBO = SimulatedModel("eleven_turbo_v2_5", "Eleven Turbo v2.5", "text_to_speech", 165_300, 450, 60)
FLASH = SimulatedModel("eleven_flash_v2_5", "Eleven Flash v2.5", "text_to_speech", 149_700, 450, 45)
V3 = SimulatedModel("eleven_v3", "Eleven v3", "text_to_speech", 198_400, 900, 310, released_on=MODEL_V3_RELEASED)
SCRIBE = SimulatedModel("scribe_v1", "Scribe v1", "speech_to_text", 111_310, 70, 150)
SOUND = SimulatedModel("eleven_text_to_sound_v2", "Eleven Text to Sound v2", "sound_effects", 172_350, 2400, 200)

MODELS = (MULTILINGUAL, TURBO, FLASH, V3, SCRIBE, SOUND)

OFFICE = (1000, 1060, 1100, 1080, 960, 0, 0)
SERVICE = (1050, 1000, 980, 1000, 1080, 420, 350)
LEISURE = (800, 780, 820, 900, 1100, 1400, 1350)
STUDIO = (1100, 1150, 1150, 1100, 900, 150, 200)
STEADY = (1000, 1000, 1000, 1000, 1000, 940, 930)

CLIENT_WORK = "client-work"
INTERNAL = "internal"
SERVICE_ACCOUNTS = {CLIENT_WORK: "Client work", INTERNAL: "Internal tools"}

OWN_KEY_OF_A_PERSON = "own-key"
NEVER_USED = "internal-sandbox"
DISABLED = "oakfield-fraud-alerts"
RUNS_INTO_A_LOOP = "northwind-support"

KEYS = (
    SimulatedKey(
        RUNS_INTO_A_LOOP,
        "Northwind – support line",
        (Use(FLASH, 9000, in_a_loop=80_000), Use(TURBO, 3500)),
        SERVICE,
        CLIENT_WORK,
    ),
    SimulatedKey("northwind-ivr", "Northwind – IVR", (Use(FLASH, 4200),), STEADY, CLIENT_WORK),
    SimulatedKey(
        "harbor-reminders",
        "Harbor Clinic – reminders",
        (Use(TURBO, 2600), Use(MULTILINGUAL, 800)),
        OFFICE,
        CLIENT_WORK,
        surges=(11, 12, 13),
    ),
    SimulatedKey("harbor-transcripts", "Harbor Clinic – intake transcripts", (Use(SCRIBE, 3100),), OFFICE, CLIENT_WORK),
    SimulatedKey(
        "juniper-concierge",
        "Juniper Travel – concierge",
        (Use(FLASH, 5200), Use(MULTILINGUAL, 2100), Use(V3, 1500)),
        LEISURE,
        CLIENT_WORK,
    ),
    SimulatedKey(
        "lantern-audiobooks",
        "Lantern Books – audiobooks",
        (Use(MULTILINGUAL, 14_000), Use(V3, 6000)),
        STUDIO,
        CLIENT_WORK,
        quiet=60,
    ),
    SimulatedKey(
        "meridian-dispatch", "Meridian Logistics – dispatch", (Use(TURBO, 2300), Use(SCRIBE, 900)), STEADY, CLIENT_WORK
    ),
    SimulatedKey("oakfield-hotline", "Oakfield Bank – hotline", (Use(TURBO, 4800),), SERVICE, CLIENT_WORK),
    SimulatedKey(
        DISABLED,
        "Oakfield Bank – fraud alerts",
        (Use(FLASH, 1700),),
        STEADY,
        CLIENT_WORK,
        last_used=date(2026, 3, 30),
        disabled_on=date(2026, 3, 31),
        disable_reason="exposed_publicly",
    ),
    SimulatedKey(NEVER_USED, "Internal – sandbox", (), OFFICE, INTERNAL),
    SimulatedKey(OWN_KEY_OF_A_PERSON, "Dana's laptop", (Use(MULTILINGUAL, 350), Use(FLASH, 120)), OFFICE, quiet=450),
)

KEYLESS = SimulatedKey("keyless", "", (Use(MULTILINGUAL, 600), Use(SOUND, 250)), OFFICE, quiet=350, keyless=True)


AGENTS = (
    SimulatedAgent(
        "harbor-booking", "Harbor Clinic – booking line", ("harbor", "phone"), (Use(FLASH, 5400),), SERVICE, phone=True
    ),
    SimulatedAgent(
        "juniper-widget", "Juniper Travel – website assistant", ("juniper", "web"), (Use(FLASH, 3800),), LEISURE
    ),
    SimulatedAgent(
        "oakfield-reception",
        "Oakfield Bank – reception",
        ("oakfield", "vip", "phone"),
        (Use(TURBO, 2200), Use(MULTILINGUAL, 300)),
        OFFICE,
        phone=True,
    ),
    SimulatedAgent(
        "meridian-drivers",
        "Meridian Logistics – drivers",
        ("meridian",),
        (Use(TURBO, 1300),),
        STEADY,
        key="meridian-dispatch",
    ),
    SimulatedAgent(
        "meridian-customers",
        "Meridian Logistics – customers",
        ("meridian", "vip"),
        (Use(TURBO, 900),),
        OFFICE,
        key="meridian-dispatch",
    ),
    SimulatedAgent(
        "northwind-pilot",
        "Northwind – pilot",
        ("northwind",),
        (Use(FLASH, 700),),
        OFFICE,
        deleted_on=date(2026, 9, 1),
    ),
)
"""Who answers calls. `meridian-dispatch` serves two of them; the pilot's history outlives it."""


CAMPAIGN = "juniper-campaign-"


def campaign_key(year: int) -> SimulatedKey:
    """The key that Juniper Travel's campaign of `year` gets: new in the middle of May, deleted after January.

    One such key a year means that whenever the simulator is asked, the past year holds a key that is not listed any
    more and, most of the time, one that only just started.
    """
    return SimulatedKey(
        f"{CAMPAIGN}{year}",
        f"Juniper Travel – campaign {year}",
        (Use(MULTILINGUAL, 3800), Use(V3, 1900)),
        LEISURE,
        CLIENT_WORK,
        created_on=date(year, 5, 12),
        first_used=date(year, 5, 15),
        last_used=date(year + 1, 1, 31),
        deleted_on=date(year + 1, 2, 1),
    )


def cast_between(first: date, last: date) -> Iterator[SimulatedKey]:
    """Every key that is listed or in use at some time from `first` to `last` (inclusive), the web app last."""
    yield from KEYS
    for year in range(first.year - 1, last.year + 1):
        key = campaign_key(year)
        if key.created_on <= last and key.last_used >= first:
            yield key
    yield KEYLESS
