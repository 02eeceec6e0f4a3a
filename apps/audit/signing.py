"""The key that signs the chain's heads: Ed25519, in a file of its own that only the server's account reads."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

FILE = "audit-key.pem"


class KeyMissing(Exception):
    """There is no key though heads were written: a new one would make them worthless."""


def read_key(state: Path) -> Ed25519PrivateKey:
    """Return the instance's key. Raises KeyMissing."""
    try:
        key = load_pem_private_key((state / FILE).read_bytes(), None)
    except FileNotFoundError as error:
        raise KeyMissing(f"{state / FILE} is not there; put it back from where it is kept") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMissing(f"{state / FILE} holds another kind of key")
    return key


def make_key(state: Path) -> Ed25519PrivateKey:
    """Make the key unless there is one; return the one that is there. It appears whole or not at all."""
    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    half = state / f".{FILE}.{os.getpid()}"
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        if not (state / FILE).exists():
            os.link(half, state / FILE)
    except FileExistsError:
        return read_key(state)
    finally:
        half.unlink()
    return read_key(state)


def is_signed(key: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True
