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


class FindingSchema(serializers.Serializer[object]):
    group = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=["good", "look", "bad", "off"])
    text = serializers.CharField()
    link = serializers.CharField(help_text="where something can be done about it; may be empty")


class HealthSchema(serializers.Serializer[object]):
    state = serializers.ChoiceField(choices=["good", "look", "bad", "off"], help_text="the worst of the findings")
    findings = FindingSchema(many=True)
    health = serializers.JSONField(help_text="the figures: queue, sources, database, processes, disk, backup")
