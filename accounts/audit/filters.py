"""Which entries a view of the audit log is about, as its URL says."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.db.models import Q

from accounts.audit.models import AuditEntry, AuditEntryQuerySet
from core.audit import audit_groups
from core.wording import day

EVERYTHING = "Everything"
ANYBODY = "Anybody"
NO_DATE = "The date can't be read. Write it as YYYY-MM-DD."

# So many names can be chosen from; every other one still works in the URL.
MOST_ACTORS = 500


class AuditFilterForm(forms.Form):
    """What can't be used is refused with a sentence; the rest of the filters still holds."""

    group = forms.ChoiceField(
        label="What",
        required=False,
        choices=lambda: [("", EVERYTHING), *((group.slug, group.label) for group in audit_groups())],
        error_messages={"invalid_choice": "Choose what to show from the list."},
    )
    actor = forms.CharField(
        label="Who", required=False, max_length=150, error_messages={"max_length": "No username is that long."}
    )
    target = forms.CharField(
        label="About",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "placeholder": "Name or request id"}),
        error_messages={"max_length": "Search for at most 200 characters."},
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        # The names that every range in a URL has; they can't be attributes of a class.
        for name, label in (("from", "From (UTC)"), ("to", "To (UTC)")):
            self.fields[name] = forms.DateField(
                label=label,
                required=False,
                input_formats=["%Y-%m-%d"],
                error_messages={"invalid": NO_DATE},
                widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"}),
            )

    def offer_actors(self) -> None:
        """Let everybody who acted be chosen; one query."""
        names = AuditEntry.objects.order_by("actor_name").values_list("actor_name", flat=True).distinct()[:MOST_ACTORS]
        asked = self.data.get("actor", "")
        known = list(names) if asked in ("", *names) else [asked[:150], *names]
        self.fields["actor"].widget = forms.Select(choices=[("", ANYBODY), *((name, name) for name in known)])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = cleaned.get("from"), cleaned.get("to")
        if first and last and first > last:
            self.add_error("to", f"The range ends ({day(last)}) before it begins ({day(first)}).")
        return cleaned

    @property
    def is_used(self) -> bool:
        return any(self.data.get(name) for name in self.fields)

    def entries(self) -> AuditEntryQuerySet:
        """Newest first."""
        self.full_clean()
        wanted = self.cleaned_data
        entries = AuditEntry.objects.all()
        if slug := wanted.get("group"):
            nouns = next(nouns for group, nouns in audit_groups().items() if group.slug == slug)
            of_group = (Q(action__startswith=f"{noun}.") for noun in sorted(nouns))
            entries = entries.filter(Q(*of_group, _connector=Q.OR))
        if actor := wanted.get("actor"):
            entries = entries.filter(actor_name=actor)
        if target := wanted.get("target"):
            entries = entries.filter(Q(target_name__icontains=target) | Q(request_id=target))
        if first := wanted.get("from"):
            entries = entries.filter(at__gte=datetime.combine(first, time.min, UTC))
        if last := wanted.get("to"):
            entries = entries.filter(at__lte=datetime.combine(last, time.max, UTC))
        return entries
