"""Names of this app's permissions."""

from typing import Final

CHANGE_BUDGETS: Final = "alerts.change_budget"  # budgets and their thresholds
MANAGE_ENDPOINTS: Final = "alerts.manage_endpoints"  # webhooks, what is watched, who else is told
