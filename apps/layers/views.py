"""`/api/layers/`: the catalog and the features, under the viewer's grants."""

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.asking import ByToken, asking
from apps.accounts.tokens import IN_ADDRESS
from apps.layers import schema
from apps.layers.geojson import OPTIONS, encoded
from apps.layers.parameters import FEATURES, read_wanted, write_cursor
from apps.layers.queries import VisibleLayer, features, visible_layers
from apps.layers.reading import ReadView

GEOJSON = "application/geo+json"


class Catalog(ReadView):
    @extend_schema(responses={200: schema.CatalogSchema, **schema.errors(400, 401)}, operation_id="layers")
    def get(self, request: Request) -> Response:
        """The layers that you may see, and of which agencies."""
        seen = visible_layers(viewer=asking(request))
        return Response({"layers": [_described(one) for one in seen]})


def _described(one: VisibleLayer) -> dict[str, object]:
    agencies = [{"id": agency.pk, "slug": agency.slug, "name": agency.name} for agency in one.agencies]
    return {"name": one.layer.name, "title": one.layer.title, "kind": one.layer.kind, "agencies": agencies}


class Features(ReadView):
    authentication_classes = (ByToken, SessionAuthentication)
    parameters = (*FEATURES, IN_ADDRESS)

    @extend_schema(
        responses={(200, GEOJSON): schema.FeatureCollectionSchema, **schema.errors(400, 401, 404, 503)},
        parameters=schema.FEATURE_PARAMETERS,
        operation_id="layer_features",
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        """One page of a layer, now or at a past time."""
        wanted = read_wanted(request.query_params.dict())
        page = features(viewer=asking(request), layer=name, wanted=wanted)
        body = {
            "type": "FeatureCollection",
            "features": [encoded(row.geojson) for row in page.features if row.geojson is not None],
            "next": write_cursor(page.next, past=wanted.past) if page.next else None,
            "at": wanted.at,
            "known": page.known,
        }
        return HttpResponse(orjson.dumps(body, option=OPTIONS), content_type=GEOJSON)
