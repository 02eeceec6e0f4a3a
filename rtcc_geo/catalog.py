"""Every layer and every class of data, listed once."""

from dataclasses import replace

from django.conf import settings

from apps.boundaries.layers import BOUNDARIES
from apps.geofences.layers import FENCES
from apps.geofences.retention import CROSSINGS, STAYS
from apps.geofences.retention import FENCES as REMOVED_FENCES
from apps.incidents.layers import CALLS
from apps.incidents.retention import CALLS as CLOSED_CALLS
from apps.ingest.retention import POSTS, QUARANTINE, QUEUE, REJECTS
from apps.retention.below import ADMIN_LOG, ATTEMPTS, AUDIT, EARLIER_SESSIONS, SESSIONS, TOMBSTONES
from apps.retention.definition import Kept
from apps.tracks.retention import POSITIONS
from apps.units.layers import UNITS
from apps.units.retention import ASSIGNMENTS

LAYERS = (UNITS, CALLS, FENCES, BOUNDARIES)

# In the order of removal: what waits before the message it came in, places before the stays that follow from them.
DATA_CLASSES = (
    QUEUE, POSTS, REJECTS, QUARANTINE, replace(POSITIONS, keep=settings.POSITION_RETENTION), STAYS, CROSSINGS, CLOSED_CALLS,
    ASSIGNMENTS, REMOVED_FENCES, SESSIONS, EARLIER_SESSIONS, ATTEMPTS, ADMIN_LOG, AUDIT, TOMBSTONES,
)  # fmt: skip

# Tables with times that no rule removes. A table that is neither here nor in a class fails a test.
NOT_REMOVED_BY_AGE = (
    Kept("account_emailconfirmation", "of the sign-in library; this server sends no mail, so it stays empty"),
    Kept("accounts_instance", "the one row of the instance's clock"),
    Kept("accounts_agency", "the agencies as they are; the time zone is no time"),
    Kept("accounts_member", "accounts are ended by administrators; audit rows outlive them"),
    Kept("accounts_apikey", "keys in use, and when they were revoked: which key a message came with stays known"),
    Kept("accounts_breakglass", "one row a sealed account: when it was sealed and last opened"),
    Kept("accounts_issuer", "providers of single sign-on that are set up, and when one was last used"),
    Kept("accounts_viewtoken", "which token a map program read with stays known; it opens nothing after its end"),
    Kept("mfa_authenticator", "second factors in use, and when each was last used; they go with the member"),
    Kept("socialaccount_socialaccount", "by which provider a member signs in; goes with the member"),
    Kept("socialaccount_socialtoken", "of the sign-in library; this server keeps no provider's tokens, so it stays empty"),
    Kept("incidents_callcount", "how many calls of a month lie in a tile: kept by trigger, it goes with its calls"),
    Kept("audit_anchor", "signed marks of where the chain of the audit begins after a purge: digests and numbers"),
    Kept("audit_chainstate", "one row: when the audit was last sealed and gone through"),
    Kept("audit_refusal", "counters of refusals by the minute, which become audit entries and go"),
    Kept("audit_review", "weekly sign-offs of the audit: who signed, and when"),
    Kept("boundaries_boundary", "published districts and beats; past places are named by them, and they say nothing of anyone"),
    Kept("incidents_callstanding", "derived from the revisions of calls, and goes with them"),
    Kept("ingest_outbounduse", "one row an address that an administrator entered: its last use"),
    Kept("ingest_sourcehealth", "one row a source: its newest state"),
    Kept("django_migrations", "which migrations were applied"),
    Kept("processes_process", "one row a process: that it lives, and counts; a day after it fell silent the next start removes it"),
    Kept("retention_rule", "the rules themselves, which proofs refer to: no contents"),
    Kept("retention_hold", "that a hold was asked for, confirmed and ended, and by whom: no contents"),
    Kept("retention_heldrow", "copies for holds: they go with their hold, within a minute of its end"),
    Kept("retention_tally", "numbers of rows, no contents"),
    Kept("retention_proof", "the daily proofs: numbers of rows, no contents"),
    Kept("retention_turn", "one row: when retention last looked"),
)
