"""An entry of the audit in plain words."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from apps.audit.models import Entry

# What was done, after the name of who did it. Words in braces come from the entry's detail, or are empty.
PHRASES = {
    "sign_in": "signed in",
    "sign_in_refused": "was refused at sign-in",
    "sign_out": "signed out",
    "session_locked": "left the screen locked",
    "session_unlocked": "unlocked the screen",
    "session_ended": "ended a session of {member}",
    "reauthenticated": "showed again who they are",
    "second_factor_added": "added a second factor",
    "second_factor_removed": "removed a second factor of {member}",
    "second_factor_reset": "reset the second factor of {member}",
    "single_sign_on_added": "added the single sign-on at {issuer} to {member}",
    "single_sign_on_removed": "took the single sign-on at {issuer} from {member}",
    "recovery_code_used": "signed in with a recovery code",
    "name_locked": "was locked out after wrong passwords",
    "name_released": "released a locked name",
    "cut_off": "cut {member} off",
    "break_glass_sealed": "sealed an emergency account",
    "break_glass_opened": "opened an emergency account",
    "break_glass_ended": "ended the use of an emergency account",
    "administration_refused": "was refused at administration",
    "refused": "was refused: {target}",
    "agency_made": "made the agency {name}",
    "agency_changed": "changed the agency {name}{fields}",
    "agency_removed": "removed the agency {name}",
    "default_grants_given": "gave the default grants of {layers}",
    "grant_given": "gave {role} of {holder} the layer {layer} of {of}{to_change}",
    "grant_withdrawn": "took the layer {layer} of {of} from {role} of {holder}",
    "grant_changed": "changed a grant: {role} of {holder}, layer {layer} of {of}{fields}",
    "member_made": "made the member {name}{member}",
    "member_changed": "changed the member {name}{fields}",
    "member_removed": "removed the member {name}",
    "administrator_made": "made {member} an administrator of the instance",
    "password_changed": "changed the password of {member}",
    "membership_given": "gave {member} the role {role}, by a group at {issuer}",
    "membership_ended": "took the role {role} from {member}, whose group at {issuer} is gone",
    "view_token_made": "made a token for reading {layer}",
    "view_token_revoked": "revoked a token for reading",
    "view_tokens_revoked": "revoked the tokens of {member} for reading",
    "workstation_set": "said what kind of desk this browser is at",
    "role_given": "gave {member} the role {role} in {agency}",
    "role_taken": "took the role {role} in {agency} from {member}",
    "key_made": "made the key {key}… for {agency}",
    "key_issued": "issued the key {key}… for the source {source}",
    "key_revoked": "revoked the key {key}… of {agency}",
    "source_made": "made the source {source}{name}",
    "source_changed": "changed the source {name}{fields}",
    "source_removed": "removed the source {name}",
    "sources_silenced": "switched every source off",
    "history_begun_anew": "emptied what moves and began another history",
    "fence_made": "drew the fence {name}",
    "fence_changed": "changed the fence {name}{fields}",
    "fence_removed": "removed the fence {name}",
    "boundaries_loaded": "loaded boundaries ({kind}) from {file}",
    "unit_made": "made the unit {name}",
    "device_assigned": "put the device {device} on the unit {unit}",
    "device_taken_off": "took the device {device} off the unit {unit}",
    "layer_read": "read the layer {layer_name}{moment}",
    "layer_watched": "watched the layer {layer_name} live",
    "legal_hold_asked": "asked for a legal hold",
    "legal_hold_confirmed": "confirmed a legal hold",
    "legal_hold_read": "read what a legal hold keeps",
    "legal_hold_released": "released a legal hold",
    "legal_hold_extended": "set another end for a legal hold",
    "retention_rule_made": "made a rule of how long data is kept: {target}",
    "retention_proved": "proved what was removed on {target}",
    "database_restored": "restored the database to an earlier moment",
    "audit_read": "looked through this audit",
    "audit_reviewed": "signed off the week of {week}",
    "audit_purged": "removed audit entries that are older than their rule",
    "audit_restored": "accepted that the audit ends earlier, after a restore",
    "audit_settled": "closed what was found wrong with the audit",
    "chain_broken": "found that the audit is not whole",
}
UNUSUAL = (
    "chain_broken", "audit_settled", "audit_restored", "audit_purged", "break_glass_opened", "break_glass_ended", "name_locked",
    "sign_in_refused", "refused", "administration_refused", "cut_off", "second_factor_reset", "recovery_code_used", "database_restored",
    "history_begun_anew",
)  # fmt: skip
"""What a reviewer sees first, in this order."""
ROLES = {"administrator": "administrators", "command": "command staff"}
NOT_SHOWN = "(not shown)"


def sentence(entry: Entry, *, who: str, layers: dict[str, str], members: dict[int, str]) -> str:
    """Return what an entry says, such as "Dana Ortiz gave officers of Metro the layer Units of Harbor". `layers`: titles by name;
    `members`: names by id."""
    known: defaultdict[str, str] = defaultdict(str, _words(entry, layers, members))
    phrase = PHRASES.get(entry.act, f"{entry.act.replace('_', ' ')} {{name}} {{target}}")
    text = " ".join(f"{who} {phrase.format_map(known)}".split())
    return text + _times(entry)


def _times(entry: Entry) -> str:
    """Return how many it were, in brackets; nothing where that says nothing."""
    if entry.count is None or entry.act == "default_grants_given" or (entry.act == "refused" and entry.count == 1):
        return ""
    return f" ({entry.count:,} times)" if entry.act == "refused" else f" ({entry.count:,})"


def _words(entry: Entry, layers: dict[str, str], members: dict[int, str]) -> dict[str, str]:
    detail: dict[str, Any] = entry.detail if isinstance(entry.detail, dict) else {}
    words = {name: str(value) for name, value in detail.items() if isinstance(value, str | int | float)}
    words["target"] = entry.target.removeprefix("GET ").removeprefix("path:")
    kind, _, number = entry.target.partition(":")
    if kind == "layer":
        words["layer_name"] = layers.get(number, number)
    if kind == "member" and number.isdigit() and "name" not in words:
        words.setdefault("member", members.get(int(number), f"member {number}"))
    if "layer" in words:
        words["layer"] = layers.get(words["layer"], words["layer"])
    if "role" in words and entry.act.startswith("grant"):
        words["role"] = ROLES.get(words["role"], f"{words['role']}s")
    words["layers"] = ", ".join(layers.get(name, name) for name in detail.get("layers", ()) if isinstance(name, str))
    words["to_change"] = ", to change it" if detail.get("action") == "edit" else ""
    words["moment"] = f" as it was on {_moment(detail['at'])}" if detail.get("at") else " of the past" if detail.get("known") else ""
    words["fields"] = fields_in_words(detail.get("fields"))
    return words


def _moment(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%b %-d, %H:%M:%S} UTC"
    except (ValueError, TypeError):
        return str(text)


def fields_in_words(fields: Any) -> str:
    """Return `: name "Metro" → "Metro PD", …` of recorded changes; empty when there are none."""
    if not isinstance(fields, dict) or not fields:
        return ""
    return ": " + ", ".join(f"{name.replace('_', ' ')} {_change(values)}" for name, values in fields.items())


def _change(values: Any) -> str:
    if not isinstance(values, list) or len(values) != 2 or NOT_SHOWN in values:
        return "(not shown)"
    old, new = map(_value, values)
    return f"{old} → {new}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value in ("", None, [], {}) else f'"{value}"'
