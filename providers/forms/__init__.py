"""What the forms accept, and the sentences with which they refuse."""

from providers.forms.assigning import AssignForm, KeysForm, SplitForm
from providers.forms.companies import CompanyForm
from providers.forms.connecting import ConnectForm
from providers.forms.managing import AgentsForm, DeleteForm, KeylessForm, RenameForm, ReplaceKeyForm, ResyncForm
from providers.forms.rules import ApplyRulesForm, RuleForm

__all__ = [
    "AgentsForm",
    "ApplyRulesForm",
    "AssignForm",
    "CompanyForm",
    "ConnectForm",
    "DeleteForm",
    "KeylessForm",
    "KeysForm",
    "RenameForm",
    "ReplaceKeyForm",
    "ResyncForm",
    "RuleForm",
    "SplitForm",
]
