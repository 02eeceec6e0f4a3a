"""Looks at this instance for `exposure`: settings, the database, sockets, files. `python -m rtcc_geo.exposed` prints what is bad."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.auth.hashers import check_password

from rtcc_geo.exposure import Database, Listening, Seen, findings

KIND = "SELECT kind FROM accounts_instance WHERE id = 1"
TRUSTED = """
    SELECT DISTINCT coalesce(address, '') || coalesce('/' || netmask, '') FROM pg_hba_file_rules
    WHERE auth_method = 'trust' AND type ~ '^host' AND address NOT IN ('127.0.0.1', '::1', 'localhost', 'samehost')
"""
LEAKPROOF = "SELECT bool_and(proleakproof) FROM pg_proc WHERE oid IN (to_regprocedure('geometry_overlaps(geometry,geometry)'), %s::regproc)"
READER = "SELECT coalesce((SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = 'rtcc_reader'), FALSE)"
ADMINISTRATORS = "SELECT id, username, password FROM accounts_member WHERE is_superuser AND is_active ORDER BY id LIMIT 20"
TRIED_FIRST = ("admin", "password", "rtcc", "administrator", "demo")
LISTENS = "0A"


class DatabaseAway(Exception):
    """The database does not answer, so that nobody can say what kind of instance this is."""


def look(*, thorough: bool = False) -> Seen:
    """Return the facts. `thorough`: also the sockets of the instance's other processes and what takes seconds. Raises DatabaseAway."""
    return Seen(
        origin=settings.ORIGIN.url,
        debug=bool(settings.DEBUG),
        secret=settings.SECRET_KEY,
        hosts=tuple(settings.ALLOWED_HOSTS),
        secure_cookies=bool(settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE),
        redis=settings.REDIS_URL,
        state=Path(settings.STATE_FOLDER),
        host=own_host(sys.argv),
        database=database_seen(thorough=thorough),
        listening=tuple(listening(Path(settings.STATE_FOLDER))) if thorough else (),
        older_secrets=tuple(settings.SECRET_KEY_FALLBACKS),
    )


def own_host(words: list[str]) -> str | None:
    """Return where this process will listen, as its command line says, or the environment that uvicorn reads; None when neither does."""
    for place, word in enumerate(words):
        if word == "--host" and place + 1 < len(words):
            return words[place + 1]
        if word.startswith("--host="):
            return word.partition("=")[2]
    return os.environ.get("UVICORN_HOST") or None


def database_seen(*, thorough: bool) -> Database:
    facts = settings.DATABASES["default"]
    login: dict[str, Any] = {"host": facts["HOST"], "port": facts["PORT"], "user": facts["USER"], "dbname": facts["NAME"]}
    if facts.get("PASSWORD"):
        login["password"] = facts["PASSWORD"]
    try:
        with psycopg.connect(**login, connect_timeout=5, autocommit=True, application_name="rtcc exposure") as connection:
            return asked(connection, over_tcp=not str(facts["HOST"]).startswith("/"), thorough=thorough)
    except psycopg.OperationalError as error:
        raise DatabaseAway from error


def asked(connection: psycopg.Connection[Any], *, over_tcp: bool, thorough: bool) -> Database:
    kind = first(connection, KIND)
    if kind is None:
        return Database()
    return Database(
        kind=kind,
        over_tcp=over_tcp,
        used_password=bool(connection.pgconn.used_password),
        encrypted=bool(first(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")),
        trusted=tuple(column(connection, TRUSTED)) if first(connection, "SELECT pg_has_role('pg_read_all_settings', 'MEMBER')") else (),
        leakproof=bool(first(connection, LEAKPROOF, "pg_catalog.range_contains_elem")),
        reader=bool(first(connection, READER)),
        plain_passwords=tuple(plain_passwords(connection)) if thorough else (),
    )


def plain_passwords(connection: psycopg.Connection[Any]) -> Iterator[int]:
    """Yield administrators who sign in with what is tried first. A guess takes half a second, on purpose."""
    for id, name, stored in rows(connection, ADMINISTRATORS):
        if any(check_password(word, stored) for word in {*TRIED_FIRST, name}):
            yield id


def rows(connection: psycopg.Connection[Any], query: str, *values: object) -> list[Any]:
    """Return the rows; none when the table is not made yet or this user may not look."""
    try:
        return connection.execute(query, values).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return []


def column(connection: psycopg.Connection[Any], query: str) -> list[Any]:
    return [row[0] for row in rows(connection, query)]


def first(connection: psycopg.Connection[Any], query: str, *values: object) -> Any:
    found = rows(connection, query, *values)
    return found[0][0] if found else None


def listening(state: Path) -> list[Listening]:
    """Return the TCP sockets of the processes whose environment names this state folder, or that the launcher started for it, as far as
    we may look."""
    heard, ours = heard_sockets(), {f"RTCC_STATE={state}".encode(), f"RTCC_SUPERVISED={state.parent}".encode()}
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with suppress(OSError):
            if ours & set((process / "environ").read_bytes().split(b"\0")):
                inodes = {os.readlink(end) for end in (process / "fd").iterdir()}
                name = "web" if b"uvicorn" in (process / "cmdline").read_bytes() else process_name(process)
                found += [Listening(name, *heard[inode]) for inode in inodes & heard.keys()]
    return sorted(set(found))


def process_name(process: Path) -> str:
    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    return next((words[place + 1] for place, word in enumerate(words[:-1]) if word.endswith("manage.py")), Path(words[0]).name)


def heard_sockets() -> dict[str, tuple[str, int]]:
    """Return address and port of every listening TCP socket of the machine, by the name that /proc/PID/fd gives it."""
    found = {}
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENS:
                    found[f"socket:[{fields[9]}]"] = address_of(fields[1])
    return found


def address_of(text: str) -> tuple[str, int]:
    """Read an address as /proc/net/tcp writes it: words of four bytes in the machine's order, then the port."""
    address, _, port = text.partition(":")
    words = [bytes.fromhex(address[at : at + 8]) for at in range(0, len(address), 8)]
    packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return str(ip_address(packed)), int(port, 16)


def main() -> int:
    """Print one line a finding; exit code 1 when something is bad."""
    import django

    django.setup()
    try:
        seen = look(thorough=True)
    except DatabaseAway:
        print("  exposure         NOT KNOWN: PostgreSQL does not answer; start it with ./rtcc up")
        return 1
    found = findings(seen)
    for one in found:
        print(f"  {one.check:<16} {'BAD: ' if one.refuses else 'note: '}{one.problem}. {one.advice[0].upper()}{one.advice[1:]}.")
    if not any(one.refuses for one in found):
        print(f"  exposure         nothing bad; {seen.origin}, {seen.database.kind or 'not set up'}")
    return int(any(one.refuses for one in found))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rtcc_geo.settings")
    sys.exit(main())
