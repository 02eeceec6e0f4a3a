"""The instance's own certificate authority for `./rtcc up --lan NAME`, and the certificate that web shows.

The authority may speak for one name and for private addresses only (X.509 name constraints), so that a stolen key is of no use
for any other site. A phone that trusts it trusts nothing else because of it.
"""

import ipaddress
import os
import re
import socket
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
AUTHORITY_LASTS = timedelta(days=3650)
CERTIFICATE_LASTS = timedelta(days=390)
"""Phones refuse more than 398 days."""
RENEW_BEFORE = timedelta(days=30)
CLOCKS_DIFFER = timedelta(hours=1)
PRIVATE = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"),
    *("fc00::/7", "fe80::/10", "::1/128"),
)


@dataclass(frozen=True)
class Signer:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def keep(folder: Path, name: str, addresses: list[Address], *, at: datetime) -> bool:
    """Make what is missing, what ends within 30 days, or what lacks an address of this machine; return whether the server's is new.

    `authority.crt` is for everybody; the keys are readable by their owner only.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    named = [address for address in addresses if is_private(address)]
    authority = stored(folder, "authority", at=at)
    is_known = authority is not None
    authority = authority or make_authority(folder, name, at=at)
    server = stored(folder, "server", at=at) if is_known else None
    if server is not None and set(named) <= set(addresses_of(server.certificate)):
        return False
    make_server(folder, name, named, authority, at=at)
    return True


def stored(folder: Path, stem: str, *, at: datetime) -> Signer | None:
    """Return a key and certificate that are there and last longer than the time of renewal."""
    try:
        key = serialization.load_pem_private_key((folder / f"{stem}.key").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / f"{stem}.crt").read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    lasts = certificate.not_valid_after_utc - at > RENEW_BEFORE
    is_pair = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
    return Signer(key, certificate) if lasts and is_pair and isinstance(key, ec.EllipticCurvePrivateKey) else None


def make_authority(folder: Path, name: str, *, at: datetime) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"RTCC Geo {name}"[:64])])
    builder = (
        begun(subject, subject, key, at, AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted(name), None), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return store(folder, "authority", Signer(key, certificate))


def make_server(folder: Path, name: str, addresses: list[Address], authority: Signer, *, at: datetime) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    loopback: list[Address] = [ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1")]
    names = [x509.DNSName(one) for one in names_of(name)] + [x509.IPAddress(one) for one in dict.fromkeys([*loopback, *addresses])]
    builder = (
        begun(subject, authority.certificate.subject, key, at, CERTIFICATE_LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    return store(folder, "server", Signer(key, builder.sign(authority.key, hashes.SHA256())))


def begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, at: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    identified = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return identified.not_valid_before(at - CLOCKS_DIFFER).not_valid_after(at + lasts)


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def names_of(name: str) -> list[str]:
    """A name without a dot is found as NAME.local too, where the machine announces itself (mDNS)."""
    return [name, *([] if "." in name else [f"{name}.local"]), "localhost"]


def permitted(name: str) -> list[x509.GeneralName]:
    return [*(x509.DNSName(one) for one in names_of(name)), *(x509.IPAddress(ipaddress.ip_network(one)) for one in PRIVATE)]


def store(folder: Path, stem: str, signer: Signer) -> Signer:
    """Write the key, then the certificate, each at once."""
    form = serialization.PrivateFormat.PKCS8
    key = signer.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    for suffix, content in (("key", key), ("crt", signer.certificate.public_bytes(serialization.Encoding.PEM))):
        fresh = folder / f".{stem}.{suffix}"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        fresh.replace(folder / f"{stem}.{suffix}")
    return signer


def is_private(address: Address) -> bool:
    return any(address in ipaddress.ip_network(one) for one in PRIVATE)


def addresses_of(certificate: x509.Certificate) -> list[Address]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [one for one in names.get_values_for_type(x509.IPAddress) if isinstance(one, ipaddress.IPv4Address | ipaddress.IPv6Address)]


def machine_addresses() -> list[Address]:
    """Return the addresses of this machine's networks (not loopback, not of the link alone), as `ip` tells them; none without it."""
    try:
        told = subprocess.run(["ip", "-o", "addr", "show", "up", "scope", "global"], capture_output=True, text=True, timeout=5).stdout
    except (OSError, subprocess.TimeoutExpired):
        return route_addresses()
    found = [ipaddress.ip_address(text) for text in re.findall(r"\binet6? ([0-9a-f.:]+)/", told)]
    return found or route_addresses()


def route_addresses() -> list[Address]:
    """Return the addresses under which packets would leave this machine. Nothing is sent: a datagram socket is only connected."""
    found: list[Address] = []
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, 9))
                found.append(ipaddress.ip_address(probe.getsockname()[0].partition("%")[0]))
        except OSError:
            continue
    return found


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate as devices show it: AB:CD:…"""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()
