"""Every way in, by the name that a source carries. A new input is one more file and one more line."""

from apps.ingest.adapters.arcgis import ArcGis
from apps.ingest.adapters.calls_csv import CallsCsv
from apps.ingest.adapters.calls_json import CallsJson
from apps.ingest.adapters.contract import Adapter
from apps.ingest.adapters.fixes import Fixes
from apps.ingest.adapters.geojson import GeoJson
from apps.ingest.adapters.osmand import OsmAnd
from apps.ingest.adapters.owntracks import OwnTracks

ALL: tuple[Adapter, ...] = (Fixes(), GeoJson(), OwnTracks(), OsmAnd(), CallsJson(), CallsCsv(), ArcGis())
ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in ALL}
