"""The spine: what happens to a batch, in order, in one transaction. `raise_alerts` comes with the alerts, before publish_state."""

from collections.abc import Callable

from apps.pipeline.batch import Batch
from apps.pipeline.decoding import decode
from apps.pipeline.fencing import cross_fences
from apps.pipeline.publishing import publish_state
from apps.pipeline.recording import record_history

Stage = Callable[[Batch], None]
STAGES: tuple[Stage, ...] = (decode, record_history, cross_fences, publish_state)
