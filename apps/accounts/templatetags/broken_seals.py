"""For the admin pages: the sealed accounts that were opened."""

from django import template

from apps.accounts import break_glass
from apps.accounts.models import BreakGlass

register = template.Library()


@register.simple_tag
def broken_seals() -> list[BreakGlass]:
    return break_glass.broken_seals()
