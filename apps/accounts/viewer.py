"""Who is asking: the rights of a member at a grant epoch."""

from dataclasses import dataclass, replace

from django.db import connection

from apps.accounts.models import Action

RIGHTS = """
    SELECT given.layer, given.agency_id, given.action
    FROM accounts_member member
    JOIN accounts_membership ship ON ship.member_id = member.id
    JOIN accounts_grant given ON given.role = ship.role AND given.holder_id = ship.agency_id
    WHERE member.id = %s AND accounts_is_entitled(member.id)
"""


@dataclass(frozen=True)
class Viewer:
    """A member's rights as of a grant epoch: (layer, agency id, action)."""

    member_id: int
    epoch: int
    rights: frozenset[tuple[str, int, str]]

    def may_see(self, layer: str, agency_id: int) -> bool:
        return (layer, agency_id, Action.VIEW) in self.rights

    def agencies(self, layer: str) -> list[int]:
        """Return the ids of the agencies whose layer the viewer may see, ascending."""
        return sorted(agency for name, agency, action in self.rights if name == layer and action == Action.VIEW)

    def only(self, layer: str) -> "Viewer":
        """Return who sees what this viewer sees of one layer, and nothing else."""
        return replace(self, rights=frozenset(right for right in self.rights if right[0] == layer))


def grant_epoch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT epoch FROM accounts_grantepoch WHERE id = 1")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def viewer_of(member_id: int) -> Viewer:
    """Read the rights of a member. The epoch is read first, so rights are never older than it says."""
    epoch = grant_epoch()
    with connection.cursor() as cursor:
        cursor.execute(RIGHTS, [member_id])
        return Viewer(member_id, epoch, frozenset(tuple(row) for row in cursor.fetchall()))
