"""Who: agencies with their profile, members, roles, grants, API keys; and what kind of instance this is."""

from django.contrib.auth.models import AbstractUser
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField


class InstanceKind(models.TextChoices):
    OPERATIONAL = "operational", "Operational"
    DEMO = "demo", "Demonstration"


class Origin(models.TextChoices):
    LIVE = "live", "Live"
    EXERCISE = "exercise", "Exercise"
    SIMULATED = "simulated", "Simulated"
    REPLAYED = "replayed", "Replayed"


class Role(models.TextChoices):
    DISPATCHER = "dispatcher", "Dispatcher"
    ANALYST = "analyst", "Analyst"
    COMMAND = "command", "Command staff"
    OFFICER = "officer", "Officer"
    ADMINISTRATOR = "administrator", "Administrator"
    PARTNER = "partner", "Partner"


class Meaning(models.TextChoices):
    OFF_DUTY = "off_duty", "Off duty"
    AVAILABLE = "available", "Available"
    DISPATCHED = "dispatched", "Dispatched"
    EN_ROUTE = "en_route", "En route"
    ON_SCENE = "on_scene", "On scene"
    TRANSPORTING = "transporting", "Transporting"
    BUSY = "busy", "Busy"
    OUT_OF_SERVICE = "out_of_service", "Out of service"
    EMERGENCY = "emergency", "Emergency"


class Action(models.TextChoices):
    VIEW = "view", "See"
    EDIT = "edit", "Change"


class Instance(models.Model):
    """The one row that says what this database is for, and the line of its clock."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    kind = models.CharField(max_length=12, choices=InstanceKind.choices)
    clock_t0 = models.DateTimeField(null=True)
    clock_real0 = models.DateTimeField(null=True)
    clock_speed = models.FloatField(default=1.0)
    generation = models.BigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="instance_is_one"),
            models.CheckConstraint(
                condition=models.Q(kind="demo") | models.Q(clock_t0=None), name="operational_runs_on_the_real_clock"
            ),
        ]


class GrantEpoch(models.Model):
    """One number that grows with every change of members, roles, grants and keys (by triggers)."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    epoch = models.BigIntegerField(default=1)


class Agency(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60, blank=True)
    length_unit = models.CharField(max_length=4, default="ft")
    distance_unit = models.CharField(max_length=4, default="mi")
    speed_unit = models.CharField(max_length=4, default="mph")
    shifts = models.JSONField(default=list, blank=True)
    area = models.MultiPolygonField(null=True, blank=True)
    why_required = models.BooleanField(default=False, db_default=False, help_text="who reads a sensitive layer must say why")

    class Meta:
        verbose_name_plural = "agencies"

    def __str__(self) -> str:
        return self.name


class StatusCode(models.Model):
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="status_codes")
    number = models.PositiveSmallIntegerField(help_text="1 to 255; travels in position records")
    code = models.CharField(max_length=16)
    label = models.CharField(max_length=40)
    letter = models.CharField(max_length=1)
    meaning = models.CharField(max_length=16, choices=Meaning.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agency", "number"], name="status_number_once"),
            models.UniqueConstraint(fields=["agency", "code"], name="status_code_once"),
            models.CheckConstraint(condition=models.Q(number__range=(1, 255)), name="status_number_fits_a_byte"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"


class PriorityCode(models.Model):
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="priority_codes")
    code = models.CharField(max_length=16)
    label = models.CharField(max_length=40)
    rank = models.PositiveSmallIntegerField(help_text="0 is the most urgent")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "code"], name="priority_code_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"


class Member(AbstractUser):
    """A person who signs in."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class SignInAttempts(models.Model):
    """Failures to sign in under a name, whether somebody has it or not, since the last success; see lock_out."""

    name = models.CharField(max_length=254, primary_key=True)
    failed_at = ArrayField(models.DateTimeField())
    last_at = models.DateTimeField(db_index=True)
    locked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "locked name"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A member's role in an agency."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="memberships")
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "agency", "role"], name="membership_once")]


class Grant(models.Model):
    """Gives a role of one agency an action on a layer of an agency (its own or a partner's)."""

    role = models.CharField(max_length=16, choices=Role.choices)
    holder = models.ForeignKey(Agency, models.CASCADE, related_name="held_grants", help_text="whose members hold it")
    action = models.CharField(max_length=8, choices=Action.choices, default=Action.VIEW)
    layer = models.CharField(max_length=40)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="given_grants", help_text="whose layer it is")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "holder", "action", "layer", "agency"], name="grant_once")]


class DefaultsGiven(models.Model):
    """Of this layer the agency was given the default grants. They are given once, so that what is withdrawn stays withdrawn."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="defaults_given")
    layer = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "layer"], name="defaults_given_once")]


class ApiKey(models.Model):
    """A key for one source. The key is shown once; only its SHA-256 is stored (the key is 256 random bits)."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="api_keys")
    prefix = models.CharField(max_length=8)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(Member, models.SET_NULL, null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}…"


class ViewToken(models.Model):
    """A member's own token with which a program such as QGIS reads layers. It is shown once; only its SHA-256 is stored (the token is 256
    random bits). It may see what its member may, of `layer` alone where one is named, until it expires or is revoked."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="view_tokens")
    name = models.CharField(max_length=80, help_text="what it is for, in the member's words")
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(max_length=32, unique=True)
    layer = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
