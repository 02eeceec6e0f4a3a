"""What administrators write on the pages of retention, read once."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib.gis.geos import Polygon

from apps.accounts.models import Agency
from apps.retention.registry import classes
from apps.retention.wording import NotADuration, read_duration


class Moment(forms.DateTimeField):
    """A moment in UTC, as a browser's own field writes it."""

    def __init__(self, **more: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"], **more)
        self.widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def clean(self, value: Any) -> datetime | None:
        found = super().clean(value)
        return found.replace(tzinfo=UTC) if found else None


class RuleForm(forms.Form):
    data_class = forms.ChoiceField(label="Data")
    agency = forms.ModelChoiceField(Agency.objects.none(), required=False, label="Agency", empty_label="Every agency")
    keep = forms.CharField(
        required=False,
        max_length=40,
        label="Keep for",
        help_text='such as "90 days", "36 hours" or "3 years"; empty ends an agency’s own rule',
    )
    legal_source = forms.CharField(max_length=300, label="Legal source", help_text="the law, order or records schedule that says so")
    valid_from = Moment(required=False, label="Valid from (UTC)", help_text="empty: from now on")

    def __init__(self, *args: Any, agencies: list[int], every: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["data_class"].choices = [(one.name, one.title) for one in classes().values()]  # type: ignore[attr-defined]
        whose = self.fields["agency"]
        whose.queryset = Agency.objects.filter(pk__in=agencies).order_by("name")  # type: ignore[attr-defined]
        whose.required = not every

    def clean_keep(self) -> timedelta | None:
        text = self.cleaned_data["keep"].strip()
        try:
            return read_duration(text) if text else None
        except NotADuration as error:
            raise forms.ValidationError(str(error)) from None


class HoldForm(forms.Form):
    case_number = forms.CharField(max_length=80, label="Case number")
    reason = forms.CharField(max_length=300, label="Reason", help_text="the court order or request that demands it")
    agency = forms.ModelChoiceField(Agency.objects.none(), label="Agency", empty_label=None)
    data_classes = forms.MultipleChoiceField(label="What", widget=forms.CheckboxSelectMultiple)
    starts_at = Moment(label="From (UTC)")
    ends_before = Moment(required=False, label="Until (UTC)", help_text="empty: what comes is held too")
    identity = forms.CharField(
        required=False, max_length=120, label="Device, call sign or call number", help_text="exactly as it is stored; empty: all"
    )
    box = forms.CharField(required=False, max_length=120, label="Area", help_text="west, south, east, north in degrees; empty: everywhere")
    hold_until = Moment(label="Hold until (UTC)", help_text="it can be extended")

    def __init__(self, *args: Any, agencies: list[int], **more: Any) -> None:
        super().__init__(*args, **more)
        holdable = [one for one in classes().values() if one.by_agency and any(table.held for table in one.tables)]
        self.fields["data_classes"].choices = [(one.name, one.title) for one in holdable]  # type: ignore[attr-defined]
        self.fields["agency"].queryset = Agency.objects.filter(pk__in=agencies).order_by("name")  # type: ignore[attr-defined]

    def clean_box(self) -> Polygon | None:
        text = self.cleaned_data["box"].strip()
        if not text:
            return None
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            raise forms.ValidationError("write four numbers: west, south, east, north") from None
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise forms.ValidationError("west must lie west of east and south below north, within 180 and 90 degrees")
        area = Polygon.from_bbox((west, south, east, north))
        area.srid = 4326
        return area


class UntilForm(forms.Form):
    until = Moment(label="New end (UTC)")
    reason = forms.CharField(max_length=300, label="Reason")


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=300, label="Reason")
