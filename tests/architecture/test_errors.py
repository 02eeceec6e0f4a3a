"""What errors look like to who asks."""

import pytest
from django.test import Client
from rest_framework.exceptions import MethodNotAllowed

from apps.accounts.instance import NoInstance
from apps.layers.parameters import BadParameter
from rtcc_geo.errors import answer, word
from tests.world import make_agency, make_member, signed_in


def test_a_class_of_error_is_its_word() -> None:
    assert word(BadParameter("at", "x", "y")) == "bad_parameter"
    assert word(NoInstance()) == "no_instance"


def test_an_error_of_the_framework_has_the_same_shape() -> None:
    response = answer(MethodNotAllowed("POST"), {})
    assert response is not None
    assert response.status_code == 405
    assert response.data == {"error": "method_not_allowed", "detail": 'Method "POST" not allowed.'}


def test_an_unknown_error_is_no_answer() -> None:
    assert answer(KeyError("x"), {}) is None


@pytest.mark.django_db
def test_a_database_that_is_not_set_up_is_said(client: Client) -> None:
    asking = signed_in(make_member(make_agency()))
    response = asking.get("/api/layers/calls/features", {"known": "2026-03-01T12:00:00Z"})
    assert response.status_code == 503
    assert response.json() == {"error": "no_instance", "detail": "this database is not set up; run ./rtcc up"}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_layers_are_only_read_here(method: str) -> None:
    asking = signed_in(make_member(make_agency()))
    assert getattr(asking, method)("/api/layers/").status_code in (403, 405)
