"""The admin pages: whoever registers one, each write on it leaves an audit row in the same transaction."""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.audit.operations import record
from apps.audit.values import agencies_of, changes_in, described_forms


class Audited(ModelAdmin):
    """Writes what was made, changed (old and new values, never secrets) and removed. A class whose writes are operations that do so
    themselves says `audited_by_operations`; `acts` gives other words than `grant_made`, `grant_changed`, `grant_removed`."""

    audited_by_operations = False
    acts: dict[str, str] = {}

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django asks for this after every write, within its transaction, and gives the forms."""
        if not self.audited_by_operations:
            written = getattr(form, "instance", None) or form.user
            inside = described_forms(formsets or [])
            facts = {"fields": changes_in(form, self.model), **({"with": inside.rows} if inside.rows else {})}
            self._record("made" if add else "changed", written, facts, inside.agencies)
        return super().construct_change_message(request, form, formsets, add)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        with transaction.atomic():
            self._record_removal(obj)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for gone in queryset:
                self._record_removal(gone)
            super().delete_queryset(request, queryset)

    def facts_of(self, obj: Any) -> dict[str, Any]:
        """Return what the audit tells of a row beside its name."""
        return {}

    def _record_removal(self, gone: Model) -> None:
        if not self.audited_by_operations:
            self._record("removed", gone, {}, set())

    def _record(self, word: str, obj: Model, facts: dict[str, Any], agencies: set[int]) -> None:
        name = obj._meta.model_name or ""
        concerned = sorted(agencies_of(obj) | agencies)
        record(
            self.acts.get(word, f"{name}_{word}"), target=f"{name}:{obj.pk}", agency_id=concerned[0] if len(concerned) == 1 else None,
            detail={"name": str(obj)[:200], **self.facts_of(obj), **facts, **({"agencies": concerned} if len(concerned) > 1 else {})},
        )  # fmt: skip


class AuditedSite(AdminSite):
    def register(self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any) -> None:
        """Register as Django does, with Audited in front of classes that are not: also those of other packages."""
        wanted = admin_class or ModelAdmin
        if not issubclass(wanted, Audited):
            wanted = type(wanted.__name__, (Audited, wanted), {"__module__": wanted.__module__})
        super().register(model_or_iterable, wanted, **options)
