"""The form of the agency's letterhead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from core.secrets import LOOKS_LIKE_KEY, looks_like_key
from costs.models import Letterhead, Logo
from costs.statements.logos import MOST_BYTES, LogoRefusedError, read_logo
from providers.forms.fields import NameField

if TYPE_CHECKING:
    _LetterheadModelForm = forms.ModelForm[Letterhead]
else:
    _LetterheadModelForm = forms.ModelForm

NUMBER = "{number}"


class LetterheadForm(_LetterheadModelForm):
    """``logo`` is the file; without one the logo stays, unless it is to be removed."""

    logo_file = forms.FileField(
        label="Logo",
        required=False,
        help_text=f"PNG or SVG, up to {MOST_BYTES // 1024} kB. It is shown at most 60 mm wide and 16 mm high.",
    )
    removes_logo = forms.BooleanField(label="Remove the logo", required=False)

    class Meta:
        model = Letterhead
        fields = ("name", "address", "email", "footer", "colour", "decimals", "numbers")
        field_classes: ClassVar = {"name": NameField}
        labels: ClassVar = {
            "email": "E-mail address",
            "footer": "Footer",
            "decimals": "Amounts are written",
            "numbers": "Statement numbers",
        }
        help_texts: ClassVar = {
            "name": "As your clients know you.",
            "footer": "At the foot of every page: company register, tax number, bank account.",
            "colour": "Of lines, and of your name where there is no logo.",
            "numbers": "{number} counts on without gaps; {year} and {month} are the statement's.",
        }
        widgets: ClassVar = {
            "address": forms.Textarea(attrs={"rows": 4, "autocomplete": "street-address"}),
            "footer": forms.Textarea(attrs={"rows": 3}),
            "colour": forms.TextInput(attrs={"type": "color"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["logo_file"].widget.attrs["accept"] = "image/png,image/svg+xml"
        self.fields["name"].widget.attrs["autocomplete"] = "organization"

    def clean_numbers(self) -> str:
        text = " ".join(self.cleaned_data["numbers"].split())
        if text.count(NUMBER) != 1:
            raise ValidationError("Statement numbers need {number} once.")
        return text

    def clean_logo_file(self) -> Logo | None:
        sent: UploadedFile[bytes] | None = self.cleaned_data["logo_file"]
        if not sent:
            return None
        try:
            return read_logo(sent.read(MOST_BYTES + 1))
        except LogoRefusedError as refused:
            raise ValidationError(str(refused)) from None

    def clean(self) -> dict[str, Any]:
        for name in ("address", "footer", "numbers"):
            if looks_like_key(self.cleaned_data.get(name, "")):
                self.add_error(name, LOOKS_LIKE_KEY)
        return self.cleaned_data

    def chosen_logo(self) -> Logo | None:
        """What the letterhead is to have: the one that was sent, which is not stored yet, or the one it has."""
        if sent := self.cleaned_data["logo_file"]:
            return sent  # type: ignore[no-any-return]  # clean_logo_file() made it
        return None if self.cleaned_data["removes_logo"] else self.instance.logo
