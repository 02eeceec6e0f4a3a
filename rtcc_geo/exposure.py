"""What of this instance is open that should not be. `./rtcc doctor --exposure` tells it; an operational instance does not start with it.

Each check looks at `Seen` and yields what is bad with what to do. A check that somebody adds is put in CHECKS.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

OWN_NAMES = ("localhost",)
SHORTEST_SECRET = 50
KNOWN_SECRETS = ("django-insecure", "changeme", "change-me", "secret", "rtcc", "password", "example")
ENCRYPTED_OR_PUBLIC = ("web", "trust")
"""`trust` hands out the authority's certificate of --lan, which is for everybody, and knows nothing else."""
PRIVATE_FILES = ("secrets.json", "*keys*.json", "*.key", "*-key.pem", "first-login.json")


class Finding(NamedTuple):
    """`refuses`: an operational instance does not start with it; else it is only told."""

    check: str
    problem: str
    advice: str
    refuses: bool = True


class Listening(NamedTuple):
    """A TCP socket of ours on which somebody may connect."""

    process: str
    address: str
    port: int


@dataclass(frozen=True)
class Database:
    """What the database says of itself. `over_tcp`, `used_password`: of the connection that asked."""

    kind: str | None = None
    over_tcp: bool = False
    used_password: bool = False
    encrypted: bool = False
    trusted: tuple[str, ...] = ()
    leakproof: bool = True
    reader: bool = True
    plain_passwords: tuple[int, ...] = ()


@dataclass(frozen=True)
class Seen:
    """The facts that the checks look at, so that a test can say others."""

    origin: str
    debug: bool
    secret: str
    hosts: tuple[str, ...]
    secure_cookies: bool
    redis: str
    state: Path
    host: str | None
    database: Database
    listening: tuple[Listening, ...] = ()
    older_secrets: tuple[str, ...] = ()


def is_own(host: str) -> bool:
    """Whether a host is this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in OWN_NAMES or host.endswith(".localhost")


def check_debug(seen: Seen) -> Iterator[Finding]:
    if seen.debug:
        yield Finding("debug", "error pages show code and settings to whoever asks", "set DEBUG to False")


def can_be_guessed(secret: str) -> bool:
    known = any(secret.lower().startswith(word) for word in KNOWN_SECRETS)
    return known or len(secret) < SHORTEST_SECRET or len(set(secret)) < 12


def check_secret(seen: Seen) -> Iterator[Finding]:
    if any(can_be_guessed(secret) for secret in seen.older_secrets):
        yield Finding("secret key", "an older one can be guessed, and is still taken", "take it out of RTCC_SECRET_KEY_FALLBACKS")
    if can_be_guessed(seen.secret):
        yield Finding("secret key", "it can be guessed; who knows it can sign in as anybody", "set RTCC_SECRET_KEY to 50 random characters")


def check_origin(seen: Seen) -> Iterator[Finding]:
    origin = urlsplit(seen.origin)
    outside = not is_own(origin.hostname or "")
    if outside and origin.scheme != "https":
        yield Finding("origin", f"{origin.hostname} is reached over plain http: passwords and places can be read on the way",
                      "put TLS in front and set RTCC_ORIGIN to https://…")  # fmt: skip
    if outside and seen.database.kind == "demo":
        yield Finding("demonstration", f"a demonstration is reached as {origin.hostname}, and its login is printed on the screen",
                      "run demonstrations on localhost")  # fmt: skip
    if (outside or origin.scheme == "https") and not seen.secure_cookies:
        yield Finding("cookies", "the session's cookie also goes over plain http", "set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE")


def check_hosts(seen: Seen) -> Iterator[Finding]:
    wild = [host for host in seen.hosts if host == "*" or host.startswith(".")]
    if wild:
        yield Finding("hosts", f"ALLOWED_HOSTS has {', '.join(wild)}: links can be made to point elsewhere", "list the names one by one")


def check_redis(seen: Seen) -> Iterator[Finding]:
    parts = urlsplit(seen.redis)
    if parts.scheme == "unix":
        if is_open(Path(parts.path)) and is_open(Path(parts.path).parent):
            yield Finding("redis", f"other users of this machine can enter {parts.path}", "chmod 700 its folder")
    elif not parts.password:
        yield Finding("redis", f"{parts.hostname} takes commands without a password", "set requirepass, and rediss://:PASSWORD@… here")
    elif parts.scheme == "redis" and not is_own(parts.hostname or ""):
        yield Finding("redis", f"the password goes to {parts.hostname} in clear", "use rediss:// where others share the network", False)


def check_database(seen: Seen) -> Iterator[Finding]:
    database = seen.database
    if database.over_tcp and not database.used_password:
        yield Finding("postgresql", "it let us in over TCP without asking for a password", "use scram-sha-256 in pg_hba.conf")
    for line in database.trusted:
        yield Finding("postgresql", f"pg_hba.conf trusts whoever connects from {line}", "use scram-sha-256 there")
    if database.over_tcp and not database.encrypted:
        yield Finding("postgresql", "rows go over TCP in clear", "use sslmode=verify-full where others share the network", False)
    if not database.leakproof:
        yield Finding("row security", "indexes of places are not used, reads are slow", "let a superuser run the statement of"
                      " apps/layers/migrations/0003_reader.py that marks functions LEAKPROOF", False)  # fmt: skip
    if not database.reader:
        yield Finding("row security", "this user may not become rtcc_reader: nothing can be read", "GRANT rtcc_reader TO it")
    for member in database.plain_passwords:
        yield Finding("login", f"administrator {member} has a password that everybody would try first", "./rtcc run changepassword")


def check_files(seen: Seen) -> Iterator[Finding]:
    private = [seen.state, *(file for pattern in PRIVATE_FILES for file in seen.state.rglob(pattern))]
    for place in private:
        if place.exists() and is_open(place):
            yield Finding("files", f"other users of this machine can read {place}", f"chmod go= {place}")


def check_ports(seen: Seen) -> Iterator[Finding]:
    encrypted = seen.origin.startswith("https://")
    if seen.host is not None and not is_own(seen.host) and not encrypted:
        yield Finding("port", f"the web server listens on {seen.host} without TLS", "listen on 127.0.0.1, or set RTCC_ORIGIN to https://…")
    for one in seen.listening:
        if not is_own(one.address) and not (encrypted and one.process in ENCRYPTED_OR_PUBLIC):
            yield Finding("port", f"{one.process} takes connections of other machines on {one.address}:{one.port}", "bind it to 127.0.0.1")


CHECKS: tuple[Callable[[Seen], Iterator[Finding]], ...] = (
    check_debug, check_secret, check_origin, check_hosts, check_redis, check_database, check_files, check_ports,
)  # fmt: skip


def findings(seen: Seen) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(seen)]


def refusals(seen: Seen) -> list[Finding]:
    """Return what keeps this instance from starting: nothing where it only demonstrates."""
    if seen.database.kind != "operational":
        return []
    return [finding for finding in findings(seen) if finding.refuses]


def is_open(place: Path) -> bool:
    """Whether somebody else than the owner may look into a file or folder. A folder that only lets pass is not open."""
    try:
        mode = place.stat().st_mode
    except OSError:
        return False
    return bool(mode & 0o066)
