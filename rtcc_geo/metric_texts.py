"""What the processes count, with the texts that /metrics and docs/metrics.md give of it."""

READINGS = {
    "live_clients": "Browsers that are connected",
    "live_clients_behind": "Connected browsers that get nothing until they have acknowledged what they were sent",
    "live_heads_age_seconds": "How long ago the hub looked at the revisions in PostgreSQL",
    "resident_bytes": "Memory of the process",
    "open_files": "Open files and sockets of the process",
}
COUNTERS: dict[str, tuple[str, str]] = {
    "cpu_seconds": ("Processor time of the process", ""),
    "door_answers": ("Posts at the front door, by the status of the answer", "status"),
    "live_messages": ("Messages sent to browsers", ""),
    "live_bytes": ("Bytes sent to browsers", ""),
    "live_resets": ("Browsers that fell behind or whose data was replaced, and that began anew", ""),
    "pipeline_fixes": ("Fixes that were processed", ""),
    "pipeline_calls": ("Statements about calls that were processed", ""),
    "pipeline_set_aside": ("Observations that were set aside as faulty", ""),
    "pipeline_revisions": ("Revisions of layers that were published", ""),
}
DURATIONS = {
    "door_commit_seconds": "How long a commit of posts took",
    "pipeline_batch_seconds": "How long a batch took, from the take to its commit",
    "pipeline_lag_seconds": "How long the oldest observation of a batch had waited when the batch was committed",
}
