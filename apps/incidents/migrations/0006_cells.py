"""Every call that has a geometry gets its place and its cell: in batches, each committed by itself, while others write."""

from typing import Any

from django.db import migrations, transaction

from apps.incidents.cells import fill


def give_cells(apps: Any, schema_editor: Any) -> None:
    connection, after = schema_editor.connection, 0
    while after is not None:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            after = fill(cursor, after=after)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("incidents", "0005_places")]
    operations = [migrations.RunPython(give_cells, migrations.RunPython.noop)]
