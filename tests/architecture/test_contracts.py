"""The OpenAPI schema, migrations and the table of errors."""

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from apps.layers.registry import catalog
from rtcc_geo.errors import STATUS, word
from tests.world import make_agency, make_member, signed_in


def test_the_openapi_schema_is_valid_and_complete() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert set(schema["paths"]) >= {"/api/layers/", "/api/layers/{name}/features", "/api/boards/calls"}


@pytest.mark.django_db
def test_the_schema_is_served_to_members() -> None:
    assert Client().get("/api/schema/").status_code in (401, 403)
    response = signed_in(make_member(make_agency())).get("/api/schema/")
    assert yaml.safe_load(response.content)["info"]["title"] == "RTCC Geo"


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    assert catalog()


def test_every_error_of_the_table_has_a_word_and_a_status_of_its_kind() -> None:
    words = [word(error("")) if error.__init__ is Exception.__init__ else error.__name__ for error in STATUS]
    assert len(set(words)) == len(STATUS)
    assert set(STATUS.values()) <= {400, 401, 403, 404, 409, 503}
