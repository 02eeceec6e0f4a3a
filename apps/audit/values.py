"""What of a form the audit may tell: old and new values of our own fields as short text, and never a secret."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.contrib.gis.geos import GEOSGeometry
from django.db.models import Manager, Model, QuerySet

SECRET = re.compile(r"pass|secret|token|key|digest|credential|authorization|cookie|signature|data$", re.IGNORECASE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
HIDDEN = "(not shown)"
LONGEST = 200


def shown(name: str, value: Any) -> Any:
    """Return a value as the audit tells it. Of an address neither its user nor its query is told: keys travel there."""
    if SECRET.search(name):
        return HIDDEN
    if isinstance(value, dict):
        return {inner: shown(str(inner), one) for inner, one in value.items()}
    if isinstance(value, list | tuple | set | QuerySet | Manager):
        return [shown(name, one) for one in (value.all() if isinstance(value, Manager) else value)]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, GEOSGeometry):
        return f"{value.geom_type} of {value.num_coords} points"
    return _text(str(value))


def _text(text: str) -> str:
    if ADDRESS.match(text):
        parts = urlsplit(text)
        text = f"{parts.scheme}://{parts.hostname or ''}{parts.path}{'?…' if parts.query else ''}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def changes_in(form: Any, model: type[Model]) -> dict[str, Any]:
    """Return [old, new] of each field that a valid form changed. Of other packages' models only which fields."""
    ours = model.__module__.startswith("apps.")
    return {
        name: [_before(form, name), shown(name, form.cleaned_data.get(name))] if ours else HIDDEN for name in form.changed_data
    }  # fmt: skip


def _before(form: Any, name: str) -> Any:
    """Return the old value; of a choice among rows the row's name rather than its number."""
    initial = form.get_initial_for_field(form.fields[name], name) if name in form.fields else None
    queryset = getattr(form.fields.get(name), "queryset", None)
    if queryset is not None and initial is not None and not SECRET.search(name):
        among = initial if isinstance(initial, list | tuple) else [initial]
        initial = [str(row) for row in queryset.filter(pk__in=[getattr(one, "pk", one) for one in among])]
    return shown(name, initial)


@dataclass
class Inside:
    """Rows that were written with another on its page, and the agencies that they concern."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    agencies: set[int] = field(default_factory=set)


def described_forms(formsets: Any) -> Inside:
    """Describe the rows of saved inline forms: made, changed (with old and new values), removed."""
    inside = Inside()
    for formset in formsets:
        for form in formset.forms:
            word = _word(formset, form)
            if word is None:
                continue
            row = form.instance
            values = changes_in(form, type(row)) if word == "changed" else _facts(row)
            inside.rows.append({"what": row._meta.model_name, "was": word, "fields": values})
            inside.agencies |= agencies_of(row)
    return inside


def _word(formset: Any, form: Any) -> str | None:
    if form.instance in getattr(formset, "deleted_objects", ()):
        return "removed"
    if form.instance in getattr(formset, "new_objects", ()):
        return "made"
    return "changed" if form.instance in [row for row, _ in getattr(formset, "changed_objects", ())] else None


def _facts(row: Model) -> dict[str, Any]:
    if not type(row).__module__.startswith("apps."):
        return {}
    return {part.name: shown(part.name, getattr(row, part.name)) for part in row._meta.concrete_fields if not part.primary_key}


def agencies_of(row: Model) -> set[int]:
    """Return the agencies that a row concerns: itself, its own, and who holds it."""
    own = {row.pk} if row._meta.label == "accounts.Agency" else set()
    named = {getattr(row, name, None) for name in ("agency_id", "holder_id")}
    return {int(one) for one in own | named if one is not None}
