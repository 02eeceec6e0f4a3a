"""Requests by the thousand, made from the API's own schema and from nothing at all, sent to a running system as a member.

Values that a server might be talked into calling name a canary. What is seeded (a plate, a name, a key, a place) is put into requests
too, so that a log that quotes what was asked shows it.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

QUIET = {"database": None, "deadline": None, "suppress_health_check": list(HealthCheck), "verbosity": Verbosity.quiet}
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
HEADERS = ("Referer", "X-Forwarded-Host", "X-Forwarded-For", "Origin", "Authorization", "X-Original-URL", "User-Agent")
TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "")
LONGEST_S = 20
TOLD_EVERY = 5000


@dataclass
class Seeds:
    """Words that no log may ever hold."""

    plate: str
    name: str
    token: str
    place: tuple[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        return self.plate, self.name, self.token, *self.place


@dataclass
class Fuzz:
    """`failures` are answers of 500 and above, and connections that broke off; everything else is as it should be."""

    url: str
    cookie: str
    seeds: Seeds
    canary: str
    derandomized: bool = True
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def sent(self) -> int:
        return self.statuses.total()

    def quietly(self, count: int) -> Any:
        return settings(max_examples=count, phases=(Phase.generate,), derandomize=self.derandomized, **QUIET)  # type: ignore[arg-type]

    def note(self, what: str, send: Any) -> None:
        try:
            status = send().status_code
        except (requests.ConnectionError, requests.Timeout) as error:
            self.failures.append(f"{what}: {type(error).__name__}")
            self.statuses[0] += 1
            return
        except (requests.RequestException, UnicodeError, ValueError):
            return  # not a request that can be sent at all
        self.statuses[status] += 1
        if self.sent % TOLD_EVERY == 0:
            print(f"{self.sent} requests, {len(self.failures)} failures, by status {dict(sorted(self.statuses.items()))}", flush=True)
        if status >= 500:
            self.failures.append(f"{what}: {status}")

    def by_schema(self, document: dict[str, Any], count: int) -> None:
        """Send about `count` requests that follow the OpenAPI schema, or break it in one place."""
        operations = [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]
        each = max(1, count // (len(operations) * len(MODES)))
        for operation in operations:
            for mode in MODES:
                self.operation(operation, mode, each)

    def operation(self, operation: Any, mode: GenerationMode, count: int) -> None:
        @self.quietly(count)
        @given(case=operation.as_strategy(generation_mode=mode), seeded=self.seeded())
        def send(case: Any, seeded: dict[str, str]) -> None:
            headers = {"Cookie": self.cookie, **seeded}
            self.note(
                f"{operation.label} {mode.value} {case.path_parameters} {case.query}",
                lambda: case.call(base_url=self.url, session=self.session, headers=headers, timeout=LONGEST_S, allow_redirects=False),
            )

        send()

    def seeded(self) -> st.SearchStrategy[dict[str, str]]:
        """Headers that a careless server would believe, call, or write down."""
        values = st.sampled_from([self.canary, f"{self.canary}/{self.seeds.plate}", f"Bearer {self.seeds.token}", self.seeds.plate])
        names = st.sampled_from(HEADERS)
        return st.dictionaries(names, values, max_size=2)

    def by_garbage(self, addresses: list[str], count: int) -> None:
        """Send `count` requests to pages and bare addresses: their own addresses with other endings, queries, methods and bodies."""
        words = st.one_of(st.text(max_size=30), st.sampled_from([*self.seeds.words, self.canary, "..", "%00", "\x00", "-1", "9" * 30]))
        query = st.dictionaries(st.sampled_from(["key", "token", "next", "at", "bbox", "q", "url", "callback", "id"]), words, max_size=3)
        bodies = st.one_of(st.binary(max_size=300), st.builds(lambda text: f"login={text}&password={text}".encode(), words))
        types = st.sampled_from(TYPES)

        @self.quietly(count)
        @given(st.sampled_from(addresses), st.lists(words, max_size=2), st.sampled_from(METHODS), query, bodies, types, self.seeded())
        def send(start: str, tail: list[str], method: str, query: dict[str, str], body: bytes, kind: str, seeded: dict[str, str]) -> None:
            path = start + "/".join(quote(part.encode("utf-8", "surrogatepass"), safe="") for part in tail)
            headers = {"Cookie": self.cookie, "Content-Type": kind, **seeded}
            data = body if method not in ("GET", "HEAD", "OPTIONS", "TRACE") else None
            self.note(
                f"{method} {path[:200]} {query}",
                lambda: self.session.request(
                    method, self.url + path, params=query, data=data, headers=headers, timeout=LONGEST_S, allow_redirects=False
                ),
            )

        send()
