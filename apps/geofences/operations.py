"""Writes to fences. Each leaves a FenceRevision and changes the layer `fences` of the agency."""

from datetime import datetime

from apps.accounts.models import Agency
from apps.audit.operations import record
from apps.geofences.models import Fence, FenceRevision
from apps.geofences.shapes import Area, Circle, UnusableFence, shape_of
from apps.layers.revisions import Publication, publishing

__all__ = ["Circle", "FenceRemoved", "UnusableFence", "change_fence", "make_fence", "remove_fence"]

LAYER = "fences"
FACTS = ("name", "category", "shape", "geom", "center", "radius_m", "active_from", "active_to")


class FenceRemoved(Exception):
    """The fence is removed; make a new one."""


def make_fence(
    *,
    agency: Agency,
    name: str,
    area: Area,
    at: datetime,
    category: str = "",
    active_from: datetime | None = None,
    active_to: datetime | None = None,
) -> Fence:
    """Make a fence of a circle, or of a Polygon or MultiPolygon in WGS 84, active from `at` unless told otherwise.

    Raises UnusableFence, geo.circles.CircleTooLarge.
    """
    fence = Fence(agency=agency, name=name, category=category, active_from=active_from or at, active_to=active_to)
    _shape(fence, area)
    _check_times(fence)
    with publishing() as publication:
        fence.save()
        _record(fence, publication, at)
        _tell_audit("fence_made", fence)
    return fence


def change_fence(
    *, fence: Fence, name: str, area: Area, category: str, active_from: datetime, active_to: datetime | None, at: datetime
) -> Fence:
    """Give the fence these facts, all of them. Locks the fence row. Raises UnusableFence, CircleTooLarge, FenceRemoved."""
    with publishing() as publication:
        changed = _locked(fence)
        before = _told(changed)
        changed.name, changed.category, changed.active_from, changed.active_to = name, category, active_from, active_to
        _shape(changed, area)
        _check_times(changed)
        changed.save()
        _record(changed, publication, at)
        _tell_audit("fence_changed", changed, before)
    return changed


def remove_fence(*, fence: Fence, at: datetime) -> None:
    """Take a fence off the map; its history stays. Locks the fence row. Raises FenceRemoved."""
    with publishing() as publication:
        gone = _locked(fence)
        gone.removed_at = at
        gone.save(update_fields=["removed_at"])
        _record(gone, publication, at)
        _tell_audit("fence_removed", gone)


def _locked(fence: Fence) -> Fence:
    found = Fence.objects.select_for_update().get(pk=fence.pk)
    if found.removed_at is not None:
        raise FenceRemoved(f'the fence "{found.name}" was removed at {found.removed_at:%Y-%m-%d %H:%M:%S}')
    return found


def _shape(fence: Fence, area: Area) -> None:
    shaped = shape_of(area)
    fence.shape, fence.geom, fence.center, fence.radius_m = shaped.shape, shaped.geom, shaped.center, shaped.radius_m


def _check_times(fence: Fence) -> None:
    if fence.active_to is not None and fence.active_to <= fence.active_from:
        raise UnusableFence("a fence's end must be later than its start")


def _record(fence: Fence, publication: Publication, at: datetime) -> None:
    facts = {name: getattr(fence, name) for name in FACTS}
    FenceRevision.objects.create(fence=fence, recorded_at=at, removed=fence.removed_at is not None, **facts)

    def write(rev: int) -> None:
        Fence.objects.filter(pk=fence.pk).update(rev=rev)

    publication.touch(LAYER, fence.agency_id, write)


def _told(fence: Fence) -> dict[str, str]:
    """Return what of a fence the audit tells, as text."""
    facts = {name: getattr(fence, name) for name in FACTS if name not in ("geom", "center")}
    return {**{name: "" if value is None else str(value) for name, value in facts.items()}, "outline": fence.geom.wkt}


def _tell_audit(act: str, fence: Fence, before: dict[str, str] | None = None) -> None:
    """Write who did what; of a change the old and new values, and of an outline only that it is another."""
    now = _told(fence)
    fields = {name: [before[name], now[name]] for name in now if before and before[name] != now[name]}
    if "outline" in fields:
        fields["outline"] = ["", "drawn anew"]
    facts = {"name": fence.name, **({"fields": fields} if before else {})}
    record(act, target=f"fence:{fence.pk}", agency_id=fence.agency_id, detail=facts)
