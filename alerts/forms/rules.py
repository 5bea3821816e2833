"""What is watched: each rule on or off, with its limit."""

from __future__ import annotations

from typing import Any

from django import forms

from alerts.models import RuleSetting
from alerts.rules import rules
from alerts.rules.rule import Rule


class RuleForm(forms.Form):
    is_on = forms.BooleanField(label="Watched", required=False)

    def __init__(self, data: Any, *, rule: Rule, setting: RuleSetting | None) -> None:
        self.rule = rule
        limit = setting.limit if setting and setting.limit is not None else rule.limit and rule.limit.default
        initial = {
            "is_on": setting.is_on if setting else rule.is_on_at_first,
            "limit": limit and f"{limit.normalize():f}",
        }
        super().__init__(data, prefix=rule.slug.replace(".", "-"), initial=initial)
        if rule.limit is not None:
            sentence = f"Enter a number from {rule.limit.least:f} to {rule.limit.most:f}."
            self.fields["limit"] = forms.DecimalField(
                label=rule.limit.unit,
                min_value=rule.limit.least,
                max_value=rule.limit.most,
                decimal_places=2,
                error_messages=dict.fromkeys(
                    ("required", "invalid", "min_value", "max_value", "max_decimal_places"), sentence
                ),
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )

    @property
    def limit(self) -> forms.BoundField | None:
        return self["limit"] if self.rule.limit is not None else None

    @property
    def setting(self) -> RuleSetting:
        """What was chosen; not stored yet."""
        data = self.cleaned_data
        return RuleSetting(slug=self.rule.slug, is_on=data["is_on"], limit=data.get("limit"))


def rule_forms(data: Any) -> list[RuleForm]:
    """One per rule, in the order of their names."""
    chosen = {setting.slug: setting for setting in RuleSetting.objects.all()}
    return [RuleForm(data, rule=rule, setting=chosen.get(rule.slug)) for rule in rules()]
