"""Migrations expand: the code of the last landing still runs on the schema of this one (decision 0032)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

LANDED = {
    "accounts": 5, "boundaries": 1, "geofences": 2, "incidents": 2, "ingest": 6, "layers": 2, "pipeline": 1, "tracks": 6, "units": 1,
}  # fmt: skip
"""The last migration of each app at the last landing; what is later is looked at. Grows with each landing."""
EXCEPTIONS: dict[tuple[str, str], str] = {}
"""(app, migration) → why the code before can live with it."""
CONTRACTING = (
    migrations.RemoveField, migrations.RenameField, migrations.RenameModel, migrations.DeleteModel, migrations.AlterModelTable,
)  # fmt: skip
CONTRACTING_SQL = re.compile(r"\b(DROP\s+(COLUMN|TABLE|VIEW)|RENAME\s+(COLUMN|TO)|SET\s+NOT\s+NULL)\b", re.IGNORECASE)


def is_new(app: str, name: str) -> bool:
    return int(name[:4]) > LANDED.get(app, 0)


def problems(operations: list[Operation], state: ProjectState, app: str, fresh: set[str]) -> Iterator[str]:
    """Yield what the code before would trip over. `fresh`: models (app.model) that it does not know."""
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from problems(operation.database_operations, state, app, fresh)
        elif isinstance(operation, migrations.CreateModel):
            fresh.add(f"{app}.{operation.name_lower}")
        elif isinstance(operation, migrations.RunSQL):
            yield from (f"SQL: {found.group(0)}" for found in CONTRACTING_SQL.finditer(text_of(operation.sql)))
        elif f"{app}.{model_of(operation)}" not in fresh and is_contracting(operation, state, app):
            yield operation.describe()


def text_of(sql: Any) -> str:
    return sql if isinstance(sql, str) else "\n".join(part if isinstance(part, str) else part[0] for part in sql)


def model_of(operation: Operation) -> str:
    return str(getattr(operation, "model_name_lower", getattr(operation, "name_lower", "")))


def is_contracting(operation: Operation, state: ProjectState, app: str) -> bool:
    if isinstance(operation, migrations.AddField):
        return must_be_given(operation.field)
    if isinstance(operation, migrations.AlterField):
        former = state.models[app, operation.model_name_lower].fields[operation.name]
        return must_be_given(operation.field) and not must_be_given(former)
    return isinstance(operation, CONTRACTING)


def must_be_given(field: Any) -> bool:
    """Whether a row cannot be inserted by who does not know the column. Django's own `default` lives in Python only."""
    return not (field.null or field.has_db_default() or field.many_to_many or isinstance(field, models.GeneratedField))


def test_new_migrations_leave_what_the_last_landing_uses() -> None:
    loader, fresh, found = MigrationLoader(None, ignore_no_migrations=True), set[str](), []
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    new = [key for key in sorted(loader.disk_migrations) if key[0] in ours and is_new(*key)]
    for key in new:
        state = loader.project_state(key, at_end=False)
        found += [(key, told) for told in problems(loader.disk_migrations[key].operations, state, key[0], fresh)]
    assert [one for one in found if one[0] not in EXCEPTIONS] == []
    assert set(EXCEPTIONS) <= {key for key, _ in found}, "an exception that is not needed"


@pytest.mark.parametrize(
    ("operation", "expands"),
    [
        (migrations.AddField("call", "mood", models.TextField(null=True)), True),
        (migrations.AddField("call", "mood", models.TextField(db_default="")), True),
        (migrations.AddField("call", "mood", models.TextField(default="")), False),
        (migrations.AlterField("call", "address", models.TextField(null=True)), True),
        (migrations.AlterField("call", "closed_at", models.DateTimeField()), False),
        (migrations.RemoveField("call", "address"), False),
        (migrations.RenameField("call", "address", "place"), False),
        (migrations.DeleteModel("Call"), False),
        (migrations.RunSQL("ALTER TABLE incidents_call DROP COLUMN address", ""), False),
        (migrations.RunSQL("CREATE INDEX x ON incidents_call (address)", "DROP TABLE incidents_call"), True),
        (migrations.SeparateDatabaseAndState([migrations.RunSQL("ALTER TABLE a RENAME TO b")]), False),
    ],
)
def test_what_contracts_is_seen(operation: Operation, expands: bool) -> None:
    state = MigrationLoader(None, ignore_no_migrations=True).project_state(("incidents", "0002_standing"))
    assert (list(problems([operation], state, "incidents", set())) == []) is expands
