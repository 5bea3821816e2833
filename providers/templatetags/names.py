"""``{{ company.name|bdi }}`` – see providers.names. Every template has them without loading them."""

from __future__ import annotations

from django import template

from providers.names import isolated, isolated_payers

register = template.Library()
register.filter("bdi", isolated)
register.filter("bdi_payers", isolated_payers)
