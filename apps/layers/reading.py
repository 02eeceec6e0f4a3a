"""What every answer that is only read has in common: its methods, its parameters, its one form."""

from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.layers.parameters import require_known


class OneForm(BaseContentNegotiation):
    """An answer has one form, whatever is accepted: who asks for GeoJSON by name is not refused."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class ReadView(APIView):
    """Answers GET, HEAD and OPTIONS. `parameters` are the names that its query string may hold, each once.

    Raises MethodNotAllowed before it looks who asks, then NotAuthenticated, then BadParameter.
    """

    content_negotiation_class = OneForm
    parameters: Sequence[str] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        method = str(request.method)
        if method not in self.allowed_methods and method != "HEAD":
            raise MethodNotAllowed(method)
        super().initial(request, *args, **kwargs)
        if method != "OPTIONS":
            require_known(request.query_params, self.names())

    def names(self) -> Sequence[str]:
        return self.parameters
