"""What the boards' answers look like, for the OpenAPI schema."""

from rest_framework import serializers

from apps.layers.schema import FeatureSchema


class CountsSchema(serializers.Serializer[object]):
    unlocated = serializers.IntegerField()
    waiting = serializers.IntegerField()
    active = serializers.IntegerField()


class CallsBoardSchema(serializers.Serializer[object]):
    calls = FeatureSchema(many=True)
    counts = CountsSchema()
    at = serializers.DateTimeField(allow_null=True)
    known = serializers.DateTimeField(allow_null=True)
