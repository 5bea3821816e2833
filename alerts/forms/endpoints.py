"""Where alerts are posted to."""

from django import forms

from alerts.delivery.destinations import LONGEST_URL
from alerts.models import Endpoint, Severity


class EndpointForm(forms.Form):
    kind = forms.ChoiceField(
        label="Kind",
        choices=Endpoint.Kind.choices,
        widget=forms.RadioSelect,
        initial=Endpoint.Kind.WEBHOOK,
        error_messages={"required": "Choose a kind."},
    )
    url = forms.CharField(
        label="Address",
        max_length=LONGEST_URL,
        help_text="Begins with https://. Of Slack, the address of an incoming webhook.",
        error_messages={"required": "Enter an address."},
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    minimum = forms.TypedChoiceField(
        label="At least",
        choices=Severity.choices,
        coerce=int,
        initial=Severity.INFO,
        help_text="What is less is left out.",
    )
