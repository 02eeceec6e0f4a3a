"""A small real OpenID provider on loopback: it describes itself, lets one person in, and signs ID tokens."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET, CODE = "rtcc", "the client's secret", "a-code"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FORGED = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """What it says: a person, their groups, and, where a test wants it, other words."""

    def __init__(self) -> None:
        self.port = 0
        self.claims: dict[str, Any] = {"sub": "u-1", "preferred_username": "dana", "name": "Dana Reyes", "groups": ["dispatch"]}
        self.config: dict[str, Any] = {}
        self.key = KEY
        self.challenge = ""
        self.calls: list[str] = []

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def description(self) -> dict[str, Any]:
        words = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys", "userinfo_endpoint": "person"}
        return {"issuer": self.url} | {name: f"{self.url}/{path}" for name, path in words.items()} | self.config

    def keys(self) -> dict[str, Any]:
        return {"keys": [json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": "one", "alg": "RS256"}]}

    def token(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        verifier = urlsafe_b64encode(sha256(form["code_verifier"][0].encode()).digest()).rstrip(b"=").decode()
        if (form["code"], form["client_secret"], verifier) != ([CODE], [SECRET], self.challenge):
            return 400, {"error": "invalid_grant"}
        claims = {"iss": self.url, "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 300, **self.claims}
        signed = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "one"})
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": signed}

    def authorize(self, address: str) -> str:
        """Do as a browser and a person would at the provider's page; return the query that leads back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        self.challenge = asked["code_challenge"]
        return f"?code={CODE}&state={asked['state']}"


@contextmanager
def provider_server() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.calls.append(self.path)
            if self.path == "/.well-known/openid-configuration":
                self.say(200, provider.description())
            elif self.path == "/keys":
                self.say(200, provider.keys())
            else:
                self.say(404, {})

        def do_POST(self) -> None:
            provider.calls.append(self.path)
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.say(*provider.token(form))

        def say(self, status: int, words: dict[str, Any]) -> None:
            body = json.dumps(words).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
