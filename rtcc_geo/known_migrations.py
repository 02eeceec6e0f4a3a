"""`python -m rtcc_geo.known_migrations` prints the migrations of this code, APP.NAME a line, those of its libraries too.

Django passes over applied migrations that it does not know; a restore asks, since older code would serve a newer database. No instance
is needed: it may not be there yet.
"""

import os
import tempfile

import django
from django.db.migrations.loader import MigrationLoader

ANY_PLACE = tempfile.gettempdir()
ANY_INSTANCE = {
    "DJANGO_SETTINGS_MODULE": "rtcc_geo.settings",
    "RTCC_ORIGIN": "http://localhost",
    "RTCC_STATE": ANY_PLACE,
    "RTCC_SECRET_KEY": "none: nothing is signed",
    "RTCC_PGHOST": ANY_PLACE,
    "RTCC_PGPORT": "5432",
    "RTCC_PGUSER": "rtcc",
    "RTCC_PGDATABASE": "rtcc",
    "RTCC_REDIS_URL": f"unix://{ANY_PLACE}/redis.sock?db=0",
}


def known() -> set[tuple[str, str]]:
    """Return (app, name) of each migration on the disk, and of those that squashed ones stand for."""
    on_disk = MigrationLoader(None).disk_migrations
    return set(on_disk) | {replaced for one in on_disk.values() for replaced in one.replaces}


if __name__ == "__main__":
    os.environ.update({name: value for name, value in ANY_INSTANCE.items() if f"{name}_FILE" not in os.environ})
    django.setup()
    print("\n".join(sorted(".".join(one) for one in known())))
