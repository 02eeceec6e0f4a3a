"""Who: agencies with their profile, members, roles, grants, API keys; and what kind of instance this is."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.module_loading import import_string


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

    second_factor_due = models.DateTimeField(
        null=True, editable=False, help_text="until then who was a member before second factors came keeps their roles without one"
    )

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


class MemberSession(AbstractBaseSession):
    """One browser's session. What is beside Django's own columns is written when somebody signs in; see session_store."""

    member = models.ForeignKey(Member, models.CASCADE, null=True, related_name="sessions")
    begun_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    how = models.CharField(max_length=60, blank=True, help_text="such as password and code")
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True)
    locked_at = models.DateTimeField(null=True)

    WRITTEN_ONCE = frozenset({"seen_at", "locked_at"})

    @classmethod
    def get_session_store_class(cls) -> type[DatabaseSessions]:
        store: type[DatabaseSessions] = import_string("apps.accounts.session_store.SessionStore")
        return store

    def save(self, *args: Any, force_update: bool = False, **kwargs: Any) -> None:
        """A request that ends must not take back a lock that another one set meanwhile."""
        if force_update:
            kept = self.WRITTEN_ONCE | {"session_key"}
            kwargs["update_fields"] = [field.name for field in self._meta.concrete_fields if field.name not in kept]
        super().save(*args, force_update=force_update, **kwargs)


class BreakGlass(models.Model):
    """A sealed account for the day when nobody else can sign in. Its pass phrase lies in an envelope and opens it for 12 hours, once."""

    member = models.OneToOneField(Member, models.CASCADE, related_name="break_glass")
    sealed_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "break-glass accounts"

    def __str__(self) -> str:
        return self.member.username


class WorkstationClass(models.Model):
    """How long a kind of desk may stand idle before its page locks."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="workstation_classes")
    name = models.CharField(max_length=60, help_text="such as Dispatch floor or Front office")
    idle_minutes = models.PositiveSmallIntegerField(default=30, validators=[MinValueValidator(1), MaxValueValidator(30)])
    is_exempt = models.BooleanField("never locks", default=False, help_text="for desks in a room that is staffed at all hours")

    class Meta:
        verbose_name_plural = "workstation classes"
        constraints = [models.UniqueConstraint(fields=["agency", "name"], name="workstation_class_once")]

    def __str__(self) -> str:
        return f"{self.agency}: {self.name}"


class Issuer(models.Model):
    """An identity provider (OpenID Connect) whose people may sign in here."""

    slug = models.SlugField(unique=True, help_text="part of the address that the provider sends people back to")
    name = models.CharField(max_length=60, help_text="what the button says, such as City of Houston")
    server_url = models.URLField("address", help_text="such as https://login.example.gov; nothing else is called")
    other_hosts = models.CharField(
        max_length=300, blank=True, help_text="names of other machines of the provider that may be called, with commas between them"
    )
    allow_private = models.BooleanField("in our own network", default=False, help_text="allows a private address")
    client_id = models.CharField(max_length=200)
    secret = models.TextField(editable=False, blank=True)
    groups_claim = models.CharField(max_length=60, default="groups")
    enforces_second_factor = models.BooleanField(
        default=False, help_text="tick only when the provider lets nobody in without one; ours is then not asked for"
    )
    is_active = models.BooleanField(default=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_result = models.CharField(max_length=300, blank=True, editable=False)

    def __str__(self) -> str:
        return self.name


class GroupRole(models.Model):
    """Who is in this group of the provider has this role."""

    issuer = models.ForeignKey(Issuer, models.CASCADE, related_name="group_roles")
    group = models.CharField(max_length=200)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "group", "agency", "role"], name="group_role_once")]

    def __str__(self) -> str:
        return f"{self.group}: {self.get_role_display()} of {self.agency}"


class Membership(models.Model):
    """A member's role in an agency. One that came with a group of an issuer goes with it."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="memberships")
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    issuer = models.ForeignKey(Issuer, models.CASCADE, null=True, blank=True, editable=False)

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
