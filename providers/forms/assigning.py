"""Assigning API keys: which ones, to whom – one company or several by percent – and from when on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.days import EARLIEST_DAY
from core.wording import day
from providers.finding import matching_projects
from providers.forms.fields import DATE_UNREADABLE, IdsField, NameField, PercentField
from providers.models import Company, Project, Provider
from providers.services.assigning import check_shares
from providers.services.periods import COMPANY_GONE, WHOLE

LATEST_START = date(2100, 12, 31)
FEWEST_LINES, MOST_LINES = 2, 20


class AppliesForm(forms.Form):
    """From when on something applies; cleaned, ``starts_on`` is None for all history."""

    applies_to = forms.ChoiceField(
        required=False,
        choices=[("all", "All history"), ("from", "From a date")],
        error_messages={"invalid_choice": "Choose “All history” or “From a date”."},
    )
    starts_on = forms.DateField(
        label="From (UTC)",
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": DATE_UNREADABLE},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("applies_to") != "from":
            cleaned["starts_on"] = None
            # A date that does not count needs no correcting.
            self.errors.pop("starts_on", None)
        elif "starts_on" not in self.errors:
            self._check_start(cleaned["starts_on"])
        return cleaned

    def _check_start(self, starts_on: date | None) -> None:
        if starts_on is None:
            self.add_error("starts_on", "Enter the date from which on it applies.")
        elif not EARLIEST_DAY <= starts_on <= LATEST_START:
            self.add_error("starts_on", f"The date must be between {day(EARLIEST_DAY)} and {day(LATEST_START)}.")

    @property
    def applies_from_a_date(self) -> bool:
        """Which of the two is chosen, also where the form can't be cleaned."""
        return bool(self["applies_to"].value() == "from")


class KeysForm(forms.Form):
    """Some API keys – of one provider, or of any –, by their ids or as all that match what a list was filtered by."""

    projects = IdsField(required=False)
    matching = forms.CharField(required=False, max_length=2000)  # "?" and the query of a KeyFilter

    def __init__(self, *args: Any, provider: Provider | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider

    def clean(self) -> dict[str, Any]:
        """Settles ``projects``."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "projects" not in self.errors and "matching" not in self.errors:
            try:
                cleaned["projects"] = self._projects(cleaned["projects"], cleaned["matching"])
            except ValidationError as refusal:
                self.add_error("projects", refusal)
        return cleaned

    def _projects(self, wanted: list[int], matching: str) -> list[Project]:
        if matching.startswith("?") and self.provider is None:
            found = matching_projects(matching[1:], today=timezone.now().date())
        else:
            known = Project.objects.select_related("provider").filter(pk__in=wanted)
            found = list(known.for_provider(self.provider) if self.provider else known)
            if len(found) != len(wanted):
                raise ValidationError("Some of these keys don't exist. Reload the page and choose again.")
        if not found:
            raise ValidationError("Choose at least one key.")
        return found


class AssignForm(KeysForm, AppliesForm):
    """Some API keys, a company (one there is, a new one, or none), and from when on."""

    NOBODY = "none"
    NEW = "new"

    company = forms.CharField(required=False, max_length=20, error_messages={"max_length": "Choose a company."})
    new_company = NameField(required=False, max_length=Company._meta.get_field("name").max_length)

    def clean(self) -> dict[str, Any]:
        """Adds ``existing_company`` (None: unassigned, or the new one) and settles ``company`` and ``new_company``."""
        cleaned = super().clean()
        choice, new_name = cleaned.get("company", ""), cleaned.get("new_company", "")
        cleaned["existing_company"] = None
        if choice == self.NEW or (not choice and new_name):
            cleaned["company"] = self.NEW
            if not new_name and "new_company" not in self.errors:
                self.add_error("new_company", "Enter the new company's name.")
        elif choice != self.NOBODY:
            cleaned["new_company"] = ""
            if "company" not in self.errors:
                cleaned["existing_company"] = self._company(choice)
        else:
            cleaned["new_company"] = ""
        return cleaned

    def _company(self, choice: str) -> Company | None:
        if not choice:
            self.add_error("company", "Choose a company.")
            return None
        company = (
            Company.objects.current().filter(pk=int(choice)).first()
            if choice.isascii() and choice.isdecimal() and len(choice) <= 18
            else None
        )
        if company is None:
            self.add_error("company", "This company doesn't exist any more. Reload the page and choose again.")
        return company


class SplitForm(AppliesForm):
    """Lines of a company and its percentage, which add up to 100; a line without either counts for nothing.

    Cleaned, ``shares`` holds them. The fields are called company_0, percent_0, company_1 and so on.
    """

    def __init__(self, *args: Any, companies: Iterable[Company], lines: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.companies = {str(company.pk): company for company in companies}
        choices = [("", "Choose…"), *((value, company.name) for value, company in self.companies.items())]
        self.count = max(FEWEST_LINES, min(lines, MOST_LINES))
        for number in range(self.count):
            self.fields[f"company_{number}"] = forms.ChoiceField(
                label=f"Company {number + 1}",
                required=False,
                choices=choices,
                error_messages={"invalid_choice": COMPANY_GONE},
                widget=forms.Select(attrs={"autocomplete": "off"}),
            )
            self.fields[f"percent_{number}"] = PercentField(
                label=f"Percent {number + 1}",
                required=False,
                unreadable="Enter a percentage with at most two decimals, for example 33.33.",
            )

    def lines(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"company_{number}"], self[f"percent_{number}"]) for number in range(self.count)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        shares: dict[Company, Decimal] = {}
        last = 0
        for number in range(self.count):
            if self._read_line(number, cleaned, shares):
                last = number
        cleaned["shares"] = shares
        if not any(name.startswith(("company_", "percent_")) for name in self.errors):
            try:
                check_shares(list(shares.values()))
            except ValidationError as refusal:
                # Where the next thing is to be typed: at the line that is missing, or at the last percentage.
                self.add_error(f"percent_{last}" if len(shares) >= FEWEST_LINES else f"company_{len(shares)}", refusal)
        return cleaned

    def _read_line(self, number: int, cleaned: Mapping[str, Any], shares: dict[Company, Decimal]) -> bool:
        """Add a line to ``shares``, or say what is wrong with it; False where it is blank."""
        company_name, percent_name = f"company_{number}", f"percent_{number}"
        company = self.companies.get(cleaned.get(company_name, ""))
        percent: Decimal | None = cleaned.get(percent_name)
        if company is None and percent is None:
            return False
        if company is None:
            if company_name not in self.errors:
                self.add_error(company_name, "Choose a company.")
        elif company in shares:
            self.add_error(company_name, f"{company.name} is chosen twice.")
        elif percent is None:
            if percent_name not in self.errors:
                self.add_error(percent_name, f"Enter how many percent {company.name} pays.")
        elif not 0 < percent < WHOLE:
            self.add_error(percent_name, "Each percentage must be more than 0 and less than 100.")
        else:
            shares[company] = percent
        return True
