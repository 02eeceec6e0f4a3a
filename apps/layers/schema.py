"""What the answers about layers look like, for the OpenAPI schema."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers


class AgencySchema(serializers.Serializer[object]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()


class LayerSchema(serializers.Serializer[object]):
    name = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=["positions", "features"])
    agencies = AgencySchema(many=True)


class CatalogSchema(serializers.Serializer[object]):
    layers = LayerSchema(many=True)


class FeatureSchema(serializers.Serializer[object]):
    type = serializers.ChoiceField(choices=["Feature"])
    id = serializers.IntegerField()
    geometry = serializers.JSONField(allow_null=True)
    properties = serializers.JSONField()


class FeatureCollectionSchema(serializers.Serializer[object]):
    type = serializers.ChoiceField(choices=["FeatureCollection"])
    features = FeatureSchema(many=True)
    next = serializers.CharField(allow_null=True, help_text="cursor of the next page; null when this is the last")
    at = serializers.DateTimeField(allow_null=True)
    known = serializers.DateTimeField(
        allow_null=True, help_text="as asked, or earlier: never later than the start of the oldest open batch"
    )


class ErrorSchema(serializers.Serializer[object]):
    error = serializers.CharField(help_text="a word")
    detail = serializers.CharField(help_text="a sentence")


def errors(*statuses: int) -> dict[int, type[ErrorSchema]]:
    """Return the answers of an endpoint that refuses or fails, by status."""
    return dict.fromkeys((*statuses, 405), ErrorSchema)


AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description="as observed by then")
KNOWN = OpenApiParameter("known", OpenApiTypes.DATETIME, description="as recorded by then; the answer to a past time never changes")
AGENCY = OpenApiParameter("agency", str, description="slug")
TOKEN = OpenApiParameter("token", str, description="a view token, for programs that cannot send Authorization: Bearer")
WHY = OpenApiParameter("why", str, description="why a sensitive layer (units in the past) is read; some agencies require it")
FEATURE_PARAMETERS = [
    OpenApiParameter("bbox", str, description="west,south,east,north in degrees; west > east crosses the antimeridian"),
    AGENCY,
    AT,
    KNOWN,
    WHY,
    OpenApiParameter("limit", int, description="1 to 5000, 1000 when missing"),
    OpenApiParameter("cursor", str, description='the "next" of the page before, with the same at; give the "known" of that answer'),
    TOKEN,
]
