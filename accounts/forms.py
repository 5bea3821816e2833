"""What the forms about people accept, and their refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from allauth.account.forms import ChangePasswordForm
from allauth.core import context
from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundWidget

from accounts.models import Invitation, Membership, Role
from accounts.names import is_taken
from accounts.throttle import Step, guarding
from providers.forms.fields import NameField
from providers.models import Company

# AUTH_PASSWORD_VALIDATORS, in a sentence.
STRENGTH = (
    "At least 10 characters, not counting names of you, this product and this site. No common one, not only digits."
)

NEW_USERNAME = ASCIIUsernameValidator(message="Use only the letters a to z, digits and @ . + - _")

# In digits, as text: the database's integers have one more.
LONGEST_ID = 18

ROLE_HELP = {
    Role.ADMIN: "Everything: also providers' keys, closing months, and people.",
    Role.MEMBER: "Sees everything; syncs, assigns keys, keeps companies and rules.",
    Role.VIEWER: "Sees everything, changes nothing.",
    Role.COMPANY_VIEWER: "Sees what the chosen companies cost and their statements, and nothing else.",
}


if TYPE_CHECKING:
    _Companies = forms.ModelMultipleChoiceField[Company]
else:
    _Companies = forms.ModelMultipleChoiceField


class CompaniesField(_Companies):
    """Refuses ids that no database has, which Django would hand to it."""

    def clean(self, value: Any) -> Any:
        if any(len(str(pk)) > LONGEST_ID for pk in value or ()):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().clean(value)


class RoleForm(forms.Form):
    """A role, and for a Company viewer at least one company."""

    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.VIEWER,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a role.", "invalid_choice": "Choose one of the roles."},
    )
    companies = CompaniesField(
        queryset=Company.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Companies of a Company viewer",
        error_messages={
            "invalid_choice": "Choose companies from the list.",
            "invalid_pk_value": "Choose companies from the list.",
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["companies"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 - for the type checker
        field.queryset = Company.objects.order_by("name")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("role") == Role.COMPANY_VIEWER and "companies" in cleaned and not cleaned["companies"]:
            self.add_error("companies", "Choose at least one company for a Company viewer.")
        return cleaned

    def role_options(self) -> Iterator[tuple[BoundWidget, str]]:
        """Each role's radio button with what the role may do."""
        for option in self["role"]:
            yield option, ROLE_HELP[option.data["value"]]

    @classmethod
    def of(cls, membership: Membership) -> RoleForm:
        return cls(initial={"role": membership.role, "companies": list(membership.companies.all())})


class InviteForm(RoleForm):
    email = forms.EmailField(
        required=False,
        label="E-mail address (optional)",
        help_text="Needed for single sign-on, which knows people by it. Nothing is sent to it.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": "Enter an e-mail address like anna@example.com, or none."},
    )

    field_order: Sequence[str] = ["email", "role", "companies"]


class ChoosePasswordForm(forms.Form):
    """A password for ``user``, twice."""

    password = forms.CharField(
        strip=False,
        max_length=1000,
        help_text=STRENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={
            "required": "Choose a password.",
            "max_length": "The password is longer than 1,000 characters.",
        },
    )
    password_again = forms.CharField(
        strip=False,
        max_length=1000,
        label="Password again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Enter the password a second time."},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password = cleaned.get("password")
        if password is None:
            return cleaned
        try:
            validate_password(password, self.user)
        except ValidationError as refusal:
            self.add_error("password", refusal)
        if "password_again" in cleaned and cleaned["password_again"] != password:
            self.add_error("password_again", "The two passwords differ.")
        return cleaned


class JoinForm(ChoosePasswordForm):
    """Choosing a username and a password."""

    username = UsernameField(
        max_length=150,
        label="Username",
        help_text="Letters a to z, digits and @ . + - _",
        validators=[NEW_USERNAME],
        error_messages={"required": "Choose a username.", "max_length": "The username is longer than 150 characters."},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )

    field_order: Sequence[str] = ["username", "password", "password_again"]

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, user=User(email=invitation.email), **kwargs)

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if is_taken(username):
            raise ValidationError("This username is taken. Choose another one.")
        self.user.username = username
        return username


class NewPasswordForm(ChangePasswordForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (
            ("oldpassword", "Current password"),
            ("password1", "New password"),
            ("password2", "New password again"),
        ):
            self.fields[name].label = label
            self.fields[name].widget.attrs.pop("placeholder", None)
        self.fields["password1"].help_text = STRENGTH

    def clean_oldpassword(self) -> str:
        with guarding(Step.PASSWORD, context.request, self.user):
            return str(super().clean_oldpassword())


class ProfileForm(forms.Form):
    """What others see beside the username."""

    first_name = NameField(
        required=False,
        max_length=150,
        label="First name",
        error_messages={"max_length": "The first name is longer than 150 characters."},
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = NameField(
        required=False,
        max_length=150,
        label="Last name",
        error_messages={"max_length": "The last name is longer than 150 characters."},
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )


class RemoveForm(forms.Form):
    """Deleting asks by name."""

    confirmed_name = forms.CharField(
        max_length=150,
        error_messages={"required": "Type the username to confirm."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, username: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.username = username

    def clean_confirmed_name(self) -> str:
        name: str = self.cleaned_data["confirmed_name"]
        if name != self.username:
            raise ValidationError(f"This is not the username. Type {self.username} to confirm.")
        return name
