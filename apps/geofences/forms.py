"""The plain form of a fence: a circle by center and radius, or a polygon as GeoJSON or WKT."""

from typing import Any

from django import forms
from django.contrib.gis.gdal import GDALException
from django.contrib.gis.geos import GEOSException, GEOSGeometry

from apps.geo.circles import CircleTooLarge
from apps.geofences.models import Fence
from apps.geofences.shapes import Area, Circle, UnusableFence, shape_of

ROUND = ("lon", "lat", "radius_m")


class FenceForm(forms.ModelForm):
    lon = forms.FloatField(required=False, label="Center longitude", min_value=-180, max_value=180)
    lat = forms.FloatField(required=False, label="Center latitude", min_value=-90, max_value=90)
    radius_m = forms.FloatField(required=False, label="Radius in meters", min_value=1)
    outline = forms.CharField(required=False, widget=forms.Textarea, help_text="or a polygon: GeoJSON geometry or WKT, WGS 84")

    class Meta:
        model = Fence
        fields = ["agency", "name", "category", "active_from", "active_to"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["agency"].disabled = True
            self.initial.update(described(self.instance))

    def clean(self) -> dict[str, Any] | None:
        """Add `area`, which the operations take."""
        facts = super().clean() or {}
        start, end = facts.get("active_from"), facts.get("active_to")
        if start and end and end <= start:
            raise forms.ValidationError("A fence's end must be later than its start.")
        facts["area"] = area_of(facts)
        return facts


def described(fence: Fence) -> dict[str, Any]:
    if fence.center is not None:
        return {"lon": fence.center.x, "lat": fence.center.y, "radius_m": fence.radius_m}
    return {"outline": fence.geom.json}


def area_of(facts: dict[str, Any]) -> Area:
    """Return the area that a form describes. Raises ValidationError."""
    numbers = [facts.get(name) for name in ROUND]
    given = [number for number in numbers if number is not None]
    if bool(given) == bool(facts.get("outline")) or len(given) not in (0, 3):
        raise forms.ValidationError("Give a center and a radius, or a polygon.")
    try:
        area = Circle(*given) if given else GEOSGeometry(facts["outline"], srid=4326)
        shape_of(area)
    except (UnusableFence, CircleTooLarge, GEOSException, GDALException, ValueError, TypeError) as error:
        raise forms.ValidationError(f"This cannot be a fence: {error}") from error
    return area
