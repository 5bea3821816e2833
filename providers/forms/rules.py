"""A rule by which new keys are assigned, and applying all of them to the keys that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db.models import Q

from providers.forms.assigning import AppliesForm
from providers.forms.fields import NameField
from providers.models import AssignmentRule, Company, Provider

if TYPE_CHECKING:
    _RuleModelForm = forms.ModelForm[AssignmentRule]
else:
    _RuleModelForm = forms.ModelForm


class RuleForm(_RuleModelForm):
    """Offers the current companies; of an archived one only its own rule may keep it."""

    kind = forms.ChoiceField(
        label="Keys whose name",
        choices=AssignmentRule.Kind.choices,
        error_messages={"required": "Choose how the name is compared.", "invalid_choice": "Choose one of the list."},
    )
    company = forms.ModelChoiceField(
        label="Belong to",
        queryset=Company.objects.none(),
        empty_label="Choose…",
        error_messages={
            "required": "Choose a company.",
            "invalid_choice": "This company doesn't exist any more. Reload the page and choose again.",
        },
    )
    provider = forms.ModelChoiceField(
        label="Provider",
        queryset=Provider.objects.all(),
        required=False,
        empty_label="Every provider",
        error_messages={"invalid_choice": "This provider doesn't exist any more. Reload the page and choose again."},
    )

    class Meta:
        model = AssignmentRule
        fields = ("kind", "pattern", "company", "provider")
        field_classes: ClassVar = {"pattern": NameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        companies = self.fields["company"]
        assert isinstance(companies, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        companies.queryset = Company.objects.filter(Q(archived_at=None) | Q(pk=self.instance.company_id))
        self.fields["pattern"].label = "Text or pattern"
        self.fields["pattern"].error_messages["required"] = "Enter what the name is compared with."
        self.fields["pattern"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}


class ApplyRulesForm(AppliesForm):
    """``fingerprint`` names the preview that was seen."""

    fingerprint = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
