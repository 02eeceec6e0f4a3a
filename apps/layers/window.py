"""SQL conditions of a window on the earth."""

BBox = tuple[float, float, float, float]
ONE = "{column} && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)"
ACROSS = """({column} && ST_MakeEnvelope(%(west)s, %(south)s, 180, %(north)s, 4326)
    OR {column} && ST_MakeEnvelope(-180, %(south)s, %(east)s, %(north)s, 4326))"""


def touches(column: str, bbox: BBox | None) -> tuple[str, dict[str, float]]:
    """Return a condition on a geometry column (ours, never user text) and its named values.

    A box whose west is greater than its east crosses the antimeridian (RFC 7946, section 5.2).
    No box: everything, also what has no geometry.
    """
    if bbox is None:
        return "TRUE", {}
    shape = ONE if bbox[0] <= bbox[2] else ACROSS
    return shape.format(column=column), dict(zip(("west", "south", "east", "north"), bbox, strict=True))
