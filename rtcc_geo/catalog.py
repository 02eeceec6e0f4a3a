"""Every layer, listed once."""

from apps.boundaries.layers import BOUNDARIES
from apps.geofences.layers import FENCES
from apps.incidents.layers import CALLS
from apps.units.layers import UNITS

LAYERS = (UNITS, CALLS, FENCES, BOUNDARIES)
