"""What tiles, TileJSON and styles look like, for the OpenAPI schema."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from apps.layers.schema import AGENCY, AT, KNOWN, TOKEN, WHY


class TileJsonSchema(serializers.Serializer[object]):
    tilejson = serializers.CharField()
    name = serializers.CharField()
    tiles = serializers.ListField(child=serializers.CharField())
    minzoom = serializers.IntegerField()
    maxzoom = serializers.IntegerField()
    vector_layers = serializers.ListField(child=serializers.JSONField())


class StyleSchema(serializers.Serializer[object]):
    version = serializers.IntegerField()
    name = serializers.CharField()
    sources = serializers.JSONField()
    layers = serializers.ListField(child=serializers.JSONField())


FROM = OpenApiParameter("from", OpenApiTypes.DATETIME, description="calls that were opened from then on, whatever their state; with to")
TO = OpenApiParameter("to", OpenApiTypes.DATETIME, description="and before then; with from")
FILTERS = {
    "type": "calls of a type",
    "rank": "calls of an urgency, 0 the most urgent",
    "state": "calls that are waiting, active or closed",
    "origin": "calls and units that are live, exercise, simulated or replayed",
    "unit": "units of a call sign",
    "kind": "units or boundaries of a kind",
    "status": "units with a status, by the agency's code",
    "code": "boundaries of a code",
    "category": "fences of a category",
    "shape": "fences that are a polygon or a circle",
}
TILE_PARAMETERS = [
    AGENCY,
    AT,
    KNOWN,
    FROM,
    TO,
    WHY,
    TOKEN,
    *(OpenApiParameter(name, int if name == "rank" else str, description=said) for name, said in FILTERS.items()),
]
