"""The one way in which this server calls another: only where an administrator said, to the address that was checked."""

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import urllib3

from apps.accounts.addresses import objection, port_objection

BYTES_LIMIT = 32 * 2**20
TIME_LIMIT_S = 20.0
CHUNK = 65_536
USUAL_PORT = {"http": 80, "https": 443}


class Refused(Exception):
    """The address may not be called; nothing was sent."""


class FetchFailed(Exception):
    """The address was called and gave no usable answer."""


@dataclass(frozen=True)
class Target:
    """A checked place to call: the name for TLS and the Host header, the address for the connection."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def label(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def checked_target(url: str, params: Mapping[str, str], *, allow_private: bool) -> Target:
    """Resolve the name once and check every address of it. Raises Refused and FetchFailed (no such name)."""
    try:
        parts = urlsplit(url)
        port = parts.port or USUAL_PORT.get(parts.scheme, 0)
    except ValueError as error:
        raise Refused(f"{url[:200]} is no address: {error}") from error
    if parts.scheme not in USUAL_PORT or not parts.hostname:
        raise Refused("only http:// and https:// addresses are called")
    if parts.username is not None or parts.password is not None:
        raise Refused("an address may not carry a user name")
    problem = port_objection(port, allow_private=allow_private)
    if problem:
        raise Refused(problem)
    address = resolved(parts.hostname, port, allow_private=allow_private)
    query = "&".join(part for part in (parts.query, urlencode(params)) if part)
    path = (parts.path or "/") + (f"?{query}" if query else "")
    return Target(parts.scheme, parts.hostname, port, address, path)


def resolved(host: str, port: int, *, allow_private: bool) -> str:
    """Return the address to connect to. One bad address among several refuses the name."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed(f"{host} has no address: {error}") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        problem = objection(address, allow_private=allow_private)
        if problem:
            raise Refused(f"{host} is {address}: {problem}")
    return addresses[0]


def pool_for(target: Target) -> urllib3.HTTPConnectionPool:
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(target.address, target.port, maxsize=1, retries=False)
    return urllib3.HTTPSConnectionPool(
        target.address, target.port, maxsize=1, retries=False, server_hostname=target.host, assert_hostname=target.host,
        ssl_context=ssl.create_default_context(),
    )  # fmt: skip


def host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == USUAL_PORT[target.scheme] else f"{host}:{target.port}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def safe_fetch(
    url: str, params: Mapping[str, str] | None = None, *, allow_private: bool = False, time_limit_s: float = TIME_LIMIT_S
) -> bytes:
    """GET and return the body of a 200. No redirect is followed. Raises Refused and FetchFailed."""
    target = checked_target(url, params or {}, allow_private=allow_private)
    answer = call(target, "GET", headers={"Accept": "application/json"}, time_limit_s=time_limit_s, only_ok=True)
    return answer.body


def call(
    target: Target,
    method: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    time_limit_s: float = TIME_LIMIT_S,
    only_ok: bool = False,
) -> Answer:
    """Send a request to a checked place and return what it says, a redirect as it is. Raises FetchFailed."""
    ends_at = time.monotonic() + time_limit_s
    own = {"Host": host_header(target), "Accept-Encoding": "identity", "User-Agent": "rtcc-geo"}
    timeout = urllib3.Timeout(connect=min(5.0, time_limit_s), read=time_limit_s)
    with pool_for(target) as pool:
        try:
            response = pool.urlopen(
                method, target.path, body=body, headers={**headers, **own}, redirect=False, timeout=timeout, preload_content=False,
                assert_same_host=False,
            )  # fmt: skip
            if only_ok and response.status != 200:
                raise FetchFailed(f"answered with status {response.status}")
            return Answer(response.status, dict(response.headers), body_of(response, ends_at))
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise FetchFailed(f"{target.label}: {error}") from error


def body_of(response: urllib3.BaseHTTPResponse, ends_at: float) -> bytes:
    """Read within the limits of time and size. Raises FetchFailed."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise FetchFailed("answered compressed, which was not asked for")
    parts, size = [], 0
    while part := response.read1(CHUNK, decode_content=False) if isinstance(response, urllib3.HTTPResponse) else b"":
        parts.append(part)
        size += len(part)
        if size > BYTES_LIMIT:
            raise FetchFailed(f"answered with more than {BYTES_LIMIT // 2**20} MiB")
        if time.monotonic() > ends_at:
            raise FetchFailed("did not answer in time")
    return b"".join(parts)
