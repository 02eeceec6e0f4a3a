"""What the figures of the instance's health mean, in plain words: good, worth a look, or bad. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from apps.console.health import Database, Health, Queue, SourceState
from apps.processes.queries import Running

GOOD, LOOK, BAD, OFF = "good", "look", "bad", "off"
RANK = {BAD: 0, LOOK: 1, GOOD: 2, OFF: 3}
EXPECTED = ("web", "pipeline", "listen", "watch", "worker", "beat")
LATE_INTERVALS, SILENT_INTERVALS, SHORTEST_S = 2, 6, 5.0
STARTING_S = 60.0
QUEUE_SLOW_S, QUEUE_FULL_S = 5.0, 60.0
SNAPSHOT_LONG_S, SNAPSHOT_TOO_LONG_S = 60.0, 600.0
FEW_DAYS, TOO_FEW_DAYS = 10, 3
MANY_DEAD = 500_000
CLOCKS_DIFFER_S = 1.0
GB = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One line of the page. `state` is good, look, bad or off; `link` leads to where something can be done about it."""

    group: str
    title: str
    state: str
    text: str
    link: str = ""


NO_SOURCE = Finding("Sources", "None", LOOK, "no source is set up yet", "/admin/ingest/source/add/")


def judge(health: Health) -> list[Finding]:
    found = [*of_processes(health), of_queue(health.queue), of_redis(health.redis)]
    found += [of_source(source) for source in health.sources] or [NO_SOURCE]
    return [*found, *of_database(health.database), of_disk(health), of_backup(health), *of_certificate(health)]


def worst(findings: list[Finding]) -> str:
    return min((finding.state for finding in findings), key=RANK.__getitem__, default=GOOD)


def counted(findings: list[Finding]) -> dict[str, int]:
    """Return how many findings there are of each state."""
    return dict(Counter(finding.state for finding in findings))


def age(seconds: float) -> str:
    """Return a duration as people say it: 12 s, 3 min, 5.2 h, 4 days."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{round(seconds / 86_400)} days"


def of_processes(health: Health) -> Iterator[Finding]:
    for one in health.processes:
        yield Finding("Processes", one.kind, *process_state(one, health))
    oldest_s = max(((health.at - one.started_at).total_seconds() for one in health.processes), default=STARTING_S)
    missing = (LOOK, "starts with the others") if oldest_s < STARTING_S else (BAD, "has not told of itself for a day: it is not running")
    for kind in EXPECTED:
        if not any(one.kind.partition(":")[0] == kind for one in health.processes):
            yield Finding("Processes", kind, *missing)


def process_state(one: Running, health: Health) -> tuple[str, str]:
    if one.is_silent:
        return BAD, f"silent for {age(one.told_s)}: it ended or cannot reach the database"
    if one.hangs:
        return BAD, f"its own work has not gone round for {age(one.turned_s or 0)}"
    memory = one.counts.get("resident_bytes", 0) / 1e6
    return GOOD, f"running for {age((health.at - one.started_at).total_seconds())}, {memory:.0f} MB of memory"


def of_queue(queue: Queue) -> Finding:
    text = "empty: all that came is on the map"
    if queue.parcels:
        text = f"{queue.observations:,} reports wait, the oldest for {age(queue.oldest_s)}"
    state = BAD if queue.oldest_s >= QUEUE_FULL_S else LOOK if queue.oldest_s >= QUEUE_SLOW_S else GOOD
    return Finding("Way in", "Queue", state, text + (": senders are told to wait" if state == BAD else ""))


def of_redis(answers: bool) -> Finding:
    text = "answers" if answers else "does not answer: the map is up to 2 s late, and background jobs wait"
    return Finding("Way in", "Redis", GOOD if answers else LOOK, text)


def of_source(source: SourceState) -> Finding:
    title, link = f"{source.name} ({source.agency})", f"/admin/ingest/source/{source.id}/change/"
    if not source.enabled:
        return Finding("Sources", title, OFF, "switched off", link)
    if source.last_message_s is None:
        return Finding("Sources", title, LOOK, "has never sent anything", link)
    usual_s = max(source.interval_s, SHORTEST_S)
    intervals = source.last_message_s / usual_s
    state = BAD if intervals > SILENT_INTERVALS else LOOK if intervals > LATE_INTERVALS else GOOD
    parts = [f"last message {age(source.last_message_s)} ago", f"{source.observations:,} reports"]
    if source.rejects_hour:
        state = LOOK if state == GOOD else state
        parts.append(f"{source.rejects_hour} rejected within the hour, the last for “{source.last_error}”")
    if abs(source.clock_offset_ms or 0) > 5000:
        parts.append(f"its clock is off by {age(abs(source.clock_offset_ms or 0) / 1000)}")
    return Finding("Sources", title, state, "; ".join(parts), link)


def of_database(database: Database) -> Iterator[Finding]:
    yield Finding("Database", "Size", GOOD, f"{database.size_bytes / GB:.2f} GB")
    full = database.connections / database.most_connections
    yield Finding("Database", "Connections", LOOK if full > 0.8 else GOOD, f"{database.connections} of {database.most_connections}")
    old_s = database.oldest_snapshot_s
    state = BAD if old_s > SNAPSHOT_TOO_LONG_S else LOOK if old_s > SNAPSHOT_LONG_S else GOOD
    why = "" if state == GOOD else ": it keeps dead rows from being cleared away"
    yield Finding("Database", "Oldest transaction", state, age(old_s) + why)
    dead = max(database.dead_rows.items(), key=lambda item: item[1], default=("", 0))
    where = f" ({dead[0]})" if dead[1] else ""
    yield Finding("Database", "Dead rows", LOOK if dead[1] > MANY_DEAD else GOOD, f"at most {dead[1]:,} in a table{where}")
    ahead = database.days_ahead
    state = BAD if ahead < TOO_FEW_DAYS else LOOK if ahead < FEW_DAYS else GOOD
    yield Finding("Database", "Days prepared", state, f"{ahead} days ahead; history since {database.first_day or 'today'}")
    off = abs(database.clock_off_s)
    text = f"differs by {off:.1f} s from the web server's" if off > 0.1 else "agrees with the web server's"
    yield Finding("Database", "Clock", LOOK if off > CLOCKS_DIFFER_S else GOOD, text)


def of_disk(health: Health) -> Finding:
    share, free_gb = health.disk_free_bytes / health.disk_bytes, health.disk_free_bytes / GB
    state = BAD if share < 0.05 or free_gb < 2 else LOOK if share < 0.15 else GOOD
    return Finding("Machine", "Disk", state, f"{free_gb:.0f} GB free, {share:.0%} of it")


def of_backup(health: Health) -> Finding:
    if health.backup_at is None:
        state = OFF if health.instance.kind == "demo" else LOOK
        return Finding("Machine", "Backup", state, "no backup has told of itself here; see docs/operations.md")
    old = health.at - health.backup_at
    state = BAD if old > timedelta(days=2) else LOOK if old > timedelta(hours=26) else GOOD
    return Finding("Machine", "Backup", state, f"the last whole one is {age(old.total_seconds())} old")


def of_certificate(health: Health) -> Iterator[Finding]:
    if health.certificate_ends is not None:
        left = health.certificate_ends - health.at
        state = BAD if left < timedelta(days=3) else LOOK if left < timedelta(days=25) else GOOD
        yield Finding("Machine", "Certificate", state, f"ends on {health.certificate_ends:%Y-%m-%d}, in {age(left.total_seconds())}")
