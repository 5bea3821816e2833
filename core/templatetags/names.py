"""``{{ company.name|bdi }}`` – see core.names. Every template has them without loading them."""

from __future__ import annotations

from django import template

from core.names import isolated, isolated_payers

register = template.Library()
register.filter("bdi", isolated)
register.filter("bdi_payers", isolated_payers)
