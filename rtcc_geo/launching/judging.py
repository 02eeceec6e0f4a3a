"""What ./rtcc doctor asks and where each answer turns into a fault: a limit, a word in capitals, and what to do about it."""

import ctypes
import shutil
import subprocess
from dataclasses import dataclass
from typing import NamedTuple

OLDEST_SNAPSHOT_S, OLDEST_PARCEL_S, DEAD_ROWS, DAYS_AHEAD, CONNECTIONS_SHARE = 300, 10, 200_000, 7, 0.8
OLDEST_TRANSACTION = 500_000_000
FREE_MB, FREE_SHARE = 2_000, 0.1
OLDEST_BACKUP_S, WAL_BEHIND_MB = 8 * 86_400, 64
CLOCK_OFF_S = 1.0
TIME_ERROR = 5


class Finding(NamedTuple):
    """`advice`: what to do; empty while nothing is wrong."""

    title: str
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Question:
    """`sql` gives the text to show and a number, which is a fault when it is over `most` or under `least`."""

    title: str
    sql: str
    fault: str
    advice: str
    most: float = float("inf")
    least: float = float("-inf")

    def judge(self, answer: str) -> Finding:
        text, _, number = answer.rpartition("|")
        if self.least <= float(number or "nan") <= self.most:
            return Finding(self.title, text)
        return Finding(self.title, f"{text}: {self.fault}", self.advice)


SNAPSHOTS = """
    SELECT CASE WHEN pid IS NULL THEN 'none' ELSE format('%s s, backend %s (%s)', age::numeric(12, 1), pid, name) END, coalesce(age, 0)
    FROM (SELECT 1) AS one LEFT JOIN (SELECT pid, application_name AS name, extract(epoch FROM clock_timestamp() - xact_start) AS age
        FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND backend_type = 'client backend' AND pid <> pg_backend_pid()
        ORDER BY xact_start LIMIT 1) AS oldest ON true
"""
DEAD = """
    SELECT coalesce(string_agg(format('%s %s', relname, n_dead_tup), ', ' ORDER BY relname), 'none'), coalesce(max(n_dead_tup), 0)
    FROM pg_stat_user_tables WHERE relname IN ('ingest_inbound', 'tracks_position', 'layers_layerrevision')
"""
QUEUE = """
    SELECT format('%s parcels, oldest %s s', waiting, age::numeric(12, 1)), age FROM (SELECT count(*) AS waiting,
        coalesce(extract(epoch FROM clock_timestamp() - min(queued_at)), 0) AS age FROM ingest_inbound) AS queue
"""
PARTITIONS = """
    SELECT format('%s days ahead, %s in all', ahead, made), ahead FROM (SELECT count(*) AS made, count(*) FILTER (WHERE day >
        (SELECT coalesce(clock_t0 + (now() - clock_real0) * clock_speed, now()) FROM accounts_instance WHERE id = 1)::date) AS ahead
        FROM (SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM '\\(''([0-9-]+)')::date AS day FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass('tracks_fix')) AS days) AS counted
"""
CONNECTIONS = """
    SELECT format('%s of %s', used, most), used / most::float FROM (SELECT count(*) AS used, current_setting('max_connections')::int AS most
        FROM pg_stat_activity) AS counted
"""
TRANSACTIONS = "SELECT format('%s million', max(age(datfrozenxid)) / 1000000), max(age(datfrozenxid)) FROM pg_database"
QUESTIONS = (
    Question(
        "oldest snapshot", SNAPSHOTS, "TOO OLD",
        "a forgotten session or a dump holds dead rows back: ./rtcc psql -c \"SELECT pg_terminate_backend(NUMBER)\"",
        most=OLDEST_SNAPSHOT_S,
    ),
    Question(
        "dead rows", DEAD, "TOO MANY", "look at the oldest snapshot first; then ./rtcc psql -c \"VACUUM ingest_inbound, tracks_position\"",
        most=DEAD_ROWS,
    ),
    Question("queue", QUEUE, "TOO OLD", "the pipeline does not keep up or does not run: ./rtcc logs pipeline", most=OLDEST_PARCEL_S),
    Question(
        "partitions", PARTITIONS, "TOO FEW DAYS AHEAD", "the pipeline makes them, 14 days ahead: ./rtcc logs pipeline", least=DAYS_AHEAD
    ),
    Question(
        "connections", CONNECTIONS, "TOO MANY", "something opens connections and keeps them: ./rtcc psql -c \"TABLE pg_stat_activity\"",
        most=CONNECTIONS_SHARE,
    ),
    Question(
        "transactions", TRANSACTIONS, "TOO MANY SINCE THE LAST FREEZE",
        "autovacuum does not keep up; let ./rtcc psql -c \"VACUUM FREEZE\" run in a quiet hour", most=OLDEST_TRANSACTION,
    ),
)  # fmt: skip


def disk(title: str, place: object, free_mb: int, total_mb: int) -> Finding:
    text = f"{free_mb} MB of {total_mb} MB free at {place}"
    if free_mb >= FREE_MB and free_mb >= total_mb * FREE_SHARE:
        return Finding(title, text)
    advice = "a full disk stops the database: make room, move to a larger disk, or keep fewer days (RTCC_POSITION_RETENTION)"
    return Finding(title, f"{text}: TOO LITTLE", advice)


def backup_age(age_s: float | None, text: str, *, is_operational: bool) -> Finding:
    """`age_s`: of the newest whole base backup, None when there is none."""
    if age_s is None and not is_operational:
        return Finding("backup", "none (a demonstration)")
    if age_s is None:
        return Finding("backup", "NO BACKUP", "./rtcc backup --to FOLDER, on another disk")
    if age_s > OLDEST_BACKUP_S:
        return Finding("backup", f"{text}: TOO OLD", "./rtcc backup takes a new one; let a timer do it each day (docs/operations.md)")
    return Finding("backup", text)


def wal_received(status: str, active: bool, behind_mb: float) -> Finding:
    """`status`: pg_replication_slots.wal_status, or none where there is no slot."""
    if status in ("none", "lost"):
        return Finding("WAL", "NOT RECEIVED, and some of it is lost", "begin anew: ./rtcc backup --to NEW-FOLDER")
    if not active:
        advice = "is the disk of the backups there and writable? ./rtcc logs receiver (units: journalctl -u rtcc-geo-receiver)"
        return Finding("WAL", f"NOT RECEIVED, {behind_mb:.0f} MB wait", advice)
    if behind_mb > WAL_BEHIND_MB:
        return Finding("WAL", f"received, {behind_mb:.0f} MB behind: TOO FAR", "the disk of the backups is too slow: ./rtcc logs receiver")
    return Finding("WAL", f"received, {behind_mb:.1f} MB behind")


def wal_for_nobody(kept_mb: float) -> Finding:
    """A replication slot is there, but no folder for backups: what a backup left that was broken off at its beginning."""
    return Finding("WAL", f"kept, {kept_mb:.0f} MB, and NOT RECEIVED by anybody", "./rtcc backup --to FOLDER, or ./rtcc backup --stop")


def code(*, migrated: bool, runs: bool, is_up: bool) -> Finding:
    if migrated and (runs or not is_up):
        return Finding("code", "the processes and the database are of this folder's code")
    what = "the database is" if not migrated else "the processes are"
    return Finding("code", f"{what} NOT OF THIS CODE", "./rtcc upgrade" if is_up else "./rtcc up brings it up to date")


class KernelClock(ctypes.Structure):
    """struct timex as far as it is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maximum_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_char * 256),
    )


def clock_is_kept() -> bool:
    """Whether a time service keeps the kernel's clock, whichever it is."""
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(KernelClock()))
    return bool(0 <= state < TIME_ERROR)


def clock_offset_s() -> float | None:
    """By how much chrony finds the clock off; None where there is no chrony that answers."""
    if shutil.which("chronyc") is None:
        return None
    said = subprocess.run(["chronyc", "-c", "tracking"], capture_output=True, text=True, timeout=10)
    fields = said.stdout.strip().split(",")
    try:
        return float(fields[4]) if said.returncode == 0 else None
    except (IndexError, ValueError):
        return None


def clock(text: str, *, kept: bool, offset_s: float | None, is_operational: bool) -> Finding:
    """Every row and alert is dated by this clock. A demonstration may go without a time service."""
    if offset_s is not None and abs(offset_s) > CLOCK_OFF_S:
        return Finding("time", f"{text}, {offset_s:+.1f} s: NOT RIGHT", "chronyc makestep, and see that chrony reaches its servers")
    if kept:
        return Finding("time", f"{text}, kept by a time service" + (f" within {abs(offset_s):.3f} s" if offset_s is not None else ""))
    if is_operational:
        return Finding("time", f"{text}, NOT KEPT by a time service", "install chrony or switch systemd-timesyncd on")
    return Finding("time", f"{text}, kept by no time service")


def certificate(days_left: float) -> Finding:
    text = f"{days_left:.0f} days left"
    if days_left >= 14:
        return Finding("certificate", text)
    return Finding("certificate", f"{text}: TOO FEW", "it is renewed while the instance runs: ./rtcc down, ./rtcc up, then look again")
