"""The page that helps other devices to trust an instance of `./rtcc up --lan NAME`: over plain HTTP, since TLS needs that trust first.

It gives out the authority's certificate and the words how to install it. It knows nothing else, reads no database, and runs only
while --lan does. `python -m rtcc_geo.trust_page --words` prints the same for the terminal, with QR codes.
"""

import io
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import qrcode
import qrcode.image.svg
from cryptography import x509
from django.template import Context, Engine

from rtcc_geo import certificates

HERE = Path(__file__).resolve().parent
CERTIFICATE_TYPE = "application/x-x509-ca-cert"
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
PATIENCE_S = 10


@dataclass(frozen=True)
class Trust:
    """`map`: the instance's address. `pages`: where other devices find this page, by the machine's addresses."""

    name: str
    map: str
    pages: list[str]
    authority: bytes
    fingerprint: str
    ends: str

    @classmethod
    def of_environment(cls) -> "Trust":
        """Raises KeyError when the instance does not serve the local network."""
        origin, port = os.environ["RTCC_ORIGIN"], os.environ["RTCC_TRUST_PORT"]
        content = Path(os.environ["RTCC_TLS_AUTHORITY"]).read_bytes()
        certificate = x509.load_pem_x509_certificate(content)
        hosts = [f"[{one}]" if one.version == 6 else str(one) for one in certificates.machine_addresses()]
        name = str(urlsplit(origin).hostname)
        pages = [f"http://{host}:{port}/" for host in hosts or [name]]
        return cls(name, origin, pages, content, certificates.fingerprint(certificate), f"{certificate.not_valid_after_utc:%Y-%m-%d}")


def picture(address: str) -> bytes:
    """Return a QR code as SVG, dark on white."""
    return bytes(qrcode.make(address, image_factory=qrcode.image.svg.SvgPathFillImage, border=3).to_string())


def drawing(address: str) -> str:
    """Return a QR code in block letters, for a terminal."""
    code, out = qrcode.QRCode(border=2), io.StringIO()
    code.add_data(address)
    code.print_ascii(out=out, invert=True)
    return "\n".join("    " + line for line in out.getvalue().rstrip().splitlines())


def words(trust: Trust) -> str:
    """What the terminal says."""
    found = (
        f"other devices must find the name {trust.name}: enter it in the network's DNS or router"
        + (", or announce it (Avahi)" if trust.name.endswith(".local") else "")
        + f"; here it is {', '.join(urlsplit(page).hostname or '' for page in trust.pages)}"
    )
    return f"""
  Every device on this network can reach it now. {found[0].upper()}{found[1:]}.

  1. Once on each device: open {trust.pages[0]} and do what it says, so that the device trusts this instance.
     Compare the fingerprint of the certificate there with this one (SHA-256):
     {trust.fingerprint}

{drawing(trust.pages[0])}

  2. Then open {trust.map}

{drawing(trust.map)}"""


class Page(BaseHTTPRequestHandler):
    """Answers GET for the page, its sheet, the codes and the certificate; everything else is not there."""

    timeout = PATIENCE_S
    server_version = "RTCCGeo"
    sys_version = ""

    def do_GET(self) -> None:
        trust = Trust.of_environment()
        answers: dict[str, tuple[str, Callable[[], bytes]]] = {
            "/": ("text/html; charset=utf-8", lambda: rendered(trust)),
            "/trust.css": ("text/css", lambda: (HERE.parent / "static" / "public" / "trust.css").read_bytes()),
            "/map.svg": ("image/svg+xml", lambda: picture(trust.map)),
            "/ca.crt": (CERTIFICATE_TYPE, lambda: trust.authority),
        }
        found = answers.get(self.path.partition("?")[0])
        if found is None:
            self.answer(404, "text/plain; charset=utf-8", b"There is nothing here. The page is at /\n")
        else:
            self.answer(200, found[0], found[1]())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        more = {"Content-Disposition": 'attachment; filename="rtcc-geo-ca.crt"'} if kind == CERTIFICATE_TYPE else {}
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **SECURITY, **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Who fetches a public certificate is nobody's matter."""


class Server(ThreadingHTTPServer):
    """On every network of the machine, IPv4 and IPv6."""

    def __init__(self, port: int) -> None:
        super().__init__(("", port), Page, bind_and_activate=False)
        self.socket.close()
        dual = socket.has_dualstack_ipv6()
        self.socket = socket.create_server(("", port), family=socket.AF_INET6 if dual else socket.AF_INET, dualstack_ipv6=dual)


def rendered(trust: Trust) -> bytes:
    engine = Engine(dirs=[str(HERE / "templates")], autoescape=True)
    return engine.get_template("trust.html").render(Context({"trust": trust})).encode()


def main() -> None:
    if "--words" in sys.argv[1:]:
        print(words(Trust.of_environment()))
        return
    with Server(int(os.environ["RTCC_TRUST_PORT"])) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
