"""`/api/layers/<name>/tiles…`: vector tiles, their TileJSON and a style, so that a map program opens a layer by its address."""

from collections.abc import Sequence

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.asking import ByToken, asking
from apps.layers import schema, tile_schema
from apps.layers.queries import NoSuchLayer, allowed
from apps.layers.reading import ReadView
from apps.layers.registry import catalog
from apps.layers.revalidation import remember
from apps.layers.styles import style, tilejson
from apps.layers.tile_parameters import COMMON, TilesWanted, names_of, read_address, read_tiles_wanted
from apps.layers.tile_queries import tile

MVT = "application/vnd.mapbox-vector-tile"
REVALIDATE = "private, no-cache"


class TilesView(ReadView):
    """What takes the parameters of a layer's tiles, by session or by token."""

    authentication_classes = (ByToken, SessionAuthentication)

    def names(self) -> Sequence[str]:
        layer = catalog().get(self.kwargs["name"])
        return names_of(layer) if layer else COMMON

    def wanted(self, request: Request, name: str) -> TilesWanted:
        """Raises NoSuchLayer, BadParameter."""
        if name not in catalog():
            raise NoSuchLayer(f'there is no layer "{name}" that you may see')
        return read_tiles_wanted(request.query_params.dict(), catalog()[name])


class Tile(TilesView):
    @extend_schema(
        responses={(200, MVT): OpenApiTypes.BINARY, 304: None, **schema.errors(400, 401, 404, 503)},
        parameters=tile_schema.TILE_PARAMETERS,
        operation_id="layer_tile",
    )
    def get(self, request: Request, name: str, z: int, x: int, y: int) -> HttpResponse:
        """One Mapbox Vector Tile of a layer, now, at a past time or of a window of time. Empty when there is nothing in it."""
        address, wanted = read_address(z, x, y), self.wanted(request, name)
        viewer = asking(request)
        answer = tile(viewer=viewer, layer=name, address=address, wanted=wanted, if_none_match=request.headers.get("If-None-Match", ""))
        response = HttpResponse(answer.body or b"", content_type=MVT, status=304 if answer.body is None else 200)
        if answer.tag:
            response.headers["ETag"] = answer.tag
            response.headers["Cache-Control"] = REVALIDATE
        if answer.known:
            response.headers["RTCC-Known"] = answer.known.isoformat().replace("+00:00", "Z")
        if answer.basis:
            remember(request._request, answer.basis)
        return response


class TileJson(TilesView):
    @extend_schema(
        responses={200: tile_schema.TileJsonSchema, **schema.errors(400, 401, 404)},
        parameters=tile_schema.TILE_PARAMETERS,
        operation_id="layer_tilejson",
    )
    def get(self, request: Request, name: str) -> Response:
        """Where a layer's tiles are and what is in them (TileJSON 3.0); the parameters are those of its tiles."""
        wanted = self.wanted(request, name)
        layer, _ = allowed(asking(request), name, wanted.agency)
        return Response(tilejson(layer, request.build_absolute_uri("tiles"), request.META["QUERY_STRING"]))


class Style(TilesView):
    @extend_schema(
        responses={200: tile_schema.StyleSchema, **schema.errors(400, 401, 404)},
        parameters=tile_schema.TILE_PARAMETERS,
        operation_id="layer_style",
    )
    def get(self, request: Request, name: str) -> Response:
        """A MapLibre style that draws a layer's tiles."""
        wanted = self.wanted(request, name)
        layer, _ = allowed(asking(request), name, wanted.agency)
        return Response(style(layer, request.build_absolute_uri("tiles"), request.META["QUERY_STRING"]))
