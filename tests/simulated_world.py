"""The simulated workspace as stored usage, without a sync: for what looks at a whole installation."""

from datetime import datetime, timedelta

from costs.usage.writing import Usage, write_usage
from elevenlabs_sync.simulator import SimulatedWorkspace
from providers.models import Provider
from tests.factories import make_project, make_provider


def make_simulated(*, now: datetime, days: int = 80) -> Provider:
    """Its keys' last ``days`` days, as a sync would have stored them; what no key made is left out."""
    workspace = SimulatedWorkspace(now.date(), days, incident_before=now.date())
    provider = make_provider(name="Simulated workspace", history_from=workspace.first_day)
    projects = {
        key.slug: make_project(provider=provider, name=key.name, external_id=key.slug)
        for key in workspace.cast
        if key.name
    }
    used = workspace.used(workspace.first_day, now.date() + timedelta(days=1))
    rows = [
        Usage(
            projects[one.slug].pk,
            one.day,
            one.model,
            one.credits,
            one.minutes,
            one.requests,
            one.cost,
            "usd" if one.cost is not None else "",
        )
        for one in used
        if one.slug in projects
    ]
    write_usage(provider=provider, first=workspace.first_day, last=now.date(), rows=rows, read_at=now)
    return provider
