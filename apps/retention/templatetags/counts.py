"""Counts and durations as people read them."""

from datetime import timedelta

from django import template

from apps.retention.wording import duration

register = template.Library()


@register.filter
def grouped(count: int | None) -> str:
    """Return 12345 as "12,345"."""
    return "" if count is None else f"{count:,}"


@register.filter
def in_words(keep: timedelta) -> str:
    return duration(keep)


@register.filter
def seconds_in_words(seconds: int) -> str:
    return duration(timedelta(seconds=seconds))
