"""Who sees what in the matrix of rights: three agencies, a member of each role of the first, and what each of them may see.

`own` is the members' agency. `partner` gave its layers to three of own's roles. `foreign` gave nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.test import Client

from apps.accounts.models import Member, Role
from apps.accounts.operations import give_grant
from apps.layers.registry import names
from tests.planted import Planted, plant
from tests.world import make_administrator, make_member, signed_in

ANONYMOUS = "anonymous"
SEES: dict[str, frozenset[str]] = {
    Role.DISPATCHER: frozenset({"own", "partner"}),
    Role.ANALYST: frozenset({"own"}),
    Role.COMMAND: frozenset({"own", "partner"}),
    Role.OFFICER: frozenset({"own"}),
    Role.ADMINISTRATOR: frozenset({"own"}),
    Role.PARTNER: frozenset({"partner"}),
    ANONYMOUS: frozenset(),
}


@dataclass(frozen=True)
class World:
    agencies: dict[str, Planted]
    members: dict[str, Member]

    def viewers(self) -> Iterator[tuple[str, Client, frozenset[str]]]:
        """Yield the name of each who asks, a browser of theirs, and the agencies that they may see."""
        for who, sees in SEES.items():
            yield who, signed_in(self.members[who]) if who in self.members else Client(), sees

    def instance_administrator(self) -> Client:
        """A browser of who administers the whole instance: on the admin pages every agency is theirs."""
        return signed_in(make_administrator("root-of-all"))


def make_world(at: datetime) -> World:
    agencies = {name: plant(name, at=at, seat=seat) for seat, name in enumerate(("own", "partner", "foreign"), start=1)}
    own, partner = agencies["own"].agency, agencies["partner"].agency
    for role, sees in SEES.items():
        for layer in names() if "partner" in sees else ():
            give_grant(role=role, holder=own, layer=layer, agency=partner)
    members = {role: make_member(own, role, username=f"{role}-{uuid4().hex[:8]}") for role in Role.values}
    return World(agencies, members)


def leaked(answer: bytes, hidden: Iterator[Planted] | list[Planted], *, named: bool = False) -> list[str]:
    """Return the marks of agencies that occur in an answer, headers and all. `named`: the slug was in the question, and may be echoed."""
    text = answer.decode("utf-8", "replace").lower()
    return [mark for one in hidden for mark in (one.marks if named else (*one.marks, one.slug)) if mark.lower() in text]
