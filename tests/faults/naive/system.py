"""The naive build under the harness of the real one: the same servers, load, screens and oracle."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.drill import Drill
from tests.faults.system import System, own_servers, wait_until

UVICORN = ("uvicorn", "tests.faults.naive.app:application", "--host", "127.0.0.1", "--ws", "websockets-sansio", "--no-access-log", "--port")
MODULES = {"pipeline": ("tests.faults.naive.worker",)}


class NaiveSystem(System):
    def set_up(self) -> None:
        with self.connect_to("postgres") as admin:
            admin.execute("CREATE DATABASE naive")
        with self.connect() as connection:
            connection.execute((Path(__file__).parent / "tables.sql").read_text())
        sessions = [{"key": f"s{number}", "agencies": [[1], [2], [1, 2]][number % 3]} for number in range(50)]
        keys = dict.fromkeys(("north-gps", "south-gps", "north-cad"), "any")
        self.staged = {"agencies": {"north": 1, "south": 2}, "keys": keys, "sessions": sessions}
        Path(self.servers.state, "naive.json").write_text(json.dumps(self.staged))

    def connect(self) -> "psycopg.Connection[Any]":
        return self.connect_to("naive")

    def connect_to(self, database: str) -> "psycopg.Connection[Any]":
        env = self.servers.environment()
        return psycopg.connect(host=env["RTCC_PGHOST"], port=env["RTCC_PGPORT"], user=env["RTCC_PGUSER"], dbname=database, autocommit=True)

    def start(self, name: str, *module: str) -> None:
        super().start(name, *(module or MODULES.get(name, (*UVICORN, str(self.instance.port)))))

    def pid(self, name: str) -> int:
        return int(self.instance.pid(name) or 0)

    def order(self, **pipelines: list[str]) -> None:
        """Start the worker; a supervisor's work, which the nursery does for the real one."""
        for name in pipelines:
            if not self.pid(name):
                self.start(name)

    def kill(self, name: str) -> None:
        super().kill(name)
        if name == "pipeline":
            wait_until(lambda: not self.pid("pipeline"), within_s=5, what="the worker ended")
            self.start("pipeline")

    def owners(self) -> dict[int, int]:
        return {self.pid("pipeline"): 64}

    def queue_is_empty(self) -> bool:
        """Nothing was written for longer than the server holds posts back, and the worker has remembered all of it."""
        waiting = self.rows("SELECT (SELECT coalesce(max(id), 0) FROM ingest_inbound) > (SELECT last_id FROM progress)")
        return not waiting[0][0]


@contextmanager
def drilling_the_naive() -> Iterator[Drill]:
    with own_servers() as servers:
        system = NaiveSystem(servers)
        system.set_up()
        drill = Drill(system, settle_s=3.0, rest_s=1.0, extras=False)
        try:
            system.start("web")
            system.start("pipeline")
            system.wait_web()
            drill.begin()
            yield drill
        finally:
            drill.end()
            system.instance.stop()
