"""The people and devices of one story: an agency, a dispatcher who watches, and senders."""

import json
import subprocess
from datetime import UTC, datetime
from itertools import count
from typing import Any

import urllib3

from apps.accounts.models import Origin, Role
from apps.accounts.operations import join, make_agency, make_member
from apps.ingest.models import Source
from apps.ingest.operations import create_source, issue_key
from apps.layers.registry import names
from tests.live_map import LiveMap, sign_in
from tests.running import RunningSystem, wait_until
from tests.tiles import around, how_many, path_of

NUMBERS = count(1)
CENTER = (-95.36, 29.76)
pool = urllib3.PoolManager(retries=False, timeout=20)


def now() -> datetime:
    return datetime.now(UTC)


class Sender:
    """A source and its key, as a device or a dispatch system would hold them."""

    def __init__(self, system: RunningSystem, source: Source, key: str) -> None:
        self.system, self.source, self.key = system, source, key
        self.url = f"{system.url}/ingest/{source.slug}"

    def post(self, body: Any) -> dict[str, Any]:
        """Post as JSON; return the receipt. Raises AssertionError when it is not acknowledged."""
        answer = pool.request("POST", self.url, body=json.dumps(body), headers=self.headers())
        assert answer.status == 202, f"{answer.status}: {answer.data!r}"
        return dict(answer.json())

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}

    def fix(self, identity: str, *, lon: float, lat: float, at: datetime | None = None, **more: Any) -> dict[str, Any]:
        fix = {"id": identity, "time": (at or now()).isoformat(), "lon": lon, "lat": lat}
        return self.post({"fixes": [fix | more]})

    def call(self, number: str, state: str, **more: Any) -> dict[str, Any]:
        return self.post({"calls": [{"number": number, "time": now().isoformat(), "state": state} | more]})

    def curl(self, body: Any) -> str:
        """Post as a person at a shell would; return what curl prints."""
        words = ["curl", "-sS", "-X", "POST", self.url, "-H", f"Authorization: Bearer {self.key}"]
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    def processed(self, receipt: dict[str, Any]) -> dict[str, Any]:
        """Wait until the pipeline has taken the post; return its receipt as it is then."""
        found: dict[str, Any] = {}

        def is_processed() -> bool:
            answer = pool.request("GET", f"{self.url}/receipts/{receipt['receipt']}", headers=self.headers())
            found.update(answer.json())
            return found.get("state") == "processed"

        wait_until(is_processed, within_s=10, what=f"the post is processed ({found})")
        return found


class Story:
    def __init__(self, system: RunningSystem) -> None:
        self.system, self.number = system, next(NUMBERS)
        self.slug = f"town-{self.number}"
        self.agency = make_agency(slug=self.slug, name=f"Town {self.number}", layers=names(), time_zone="America/Chicago")
        self.member = make_member(username=f"dispatcher-{self.number}", password="a long and unlikely phrase")
        join(member=self.member, agency=self.agency, role=Role.DISPATCHER)
        self.cookie = sign_in(self.member)

    def sender(self, adapter: str, **more: Any) -> Sender:
        """Make a source of the agency and give its key to a sender. Its devices report every ten minutes unless `interval_s` says
        otherwise: where a map takes long to open, a unit must not be drawn as late before anybody looked."""
        source = create_source(
            agency=self.agency,
            slug=f"{adapter.replace('_', '-')}-{self.number}",
            name=adapter,
            adapter=adapter,
            origin=Origin.SIMULATED,
            **{"interval_s": 600, **more},
        )
        return Sender(self.system, source, issue_key(source, None))

    def look(self, **view: Any) -> LiveMap:
        """Open the map as the dispatcher."""
        return LiveMap(self.system.live_url, cookie=self.cookie, origin=self.system.url, **view)

    def get(self, path: str, **parameters: Any) -> bytes:
        answer = pool.request("GET", f"{self.system.url}{path}", fields=parameters, headers={"Cookie": self.cookie})
        assert answer.status == 200, f"{answer.status}: {answer.data[:500]!r}"
        return answer.data

    def api(self, path: str, **parameters: Any) -> dict[str, Any]:
        return dict(json.loads(self.get(path, **parameters)))

    def features(self, layer: str, **parameters: Any) -> list[dict[str, Any]]:
        return list(self.api(f"/api/layers/{layer}/features", agency=self.slug, **parameters)["features"])

    def in_tiles(self, layer: str, zoom: int, **parameters: Any) -> int:
        """Return how many features of the agency the tile around the center tells of."""
        return how_many(self.get(path_of(layer, around(*CENTER, zoom)), agency=self.slug, **parameters))
