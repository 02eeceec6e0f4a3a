"""Django's sessions in a table of our own, which knows whose they are. A session that is signed in ends 12 hours later, whatever
happens in it: its row is past its date then, for pages, REST and sockets alike (CJIS Security Policy, AC-12 and IA-11)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

LONGEST = timedelta(hours=12)
SIGN_IN = "sign_in"
"""What is noted of a sign-in in the session's data: {"at": seconds, "until": seconds, "how", "address", "agent"}."""


class SessionStore(db.SessionStore):
    row: Any = None
    """The session as it was read, with what is beside its data."""

    def _get_session_from_db(self) -> Any:
        self.row = super()._get_session_from_db()  # type: ignore[misc]
        return self.row

    @classmethod
    def get_model_class(cls) -> Any:
        from apps.accounts.models import MemberSession  # Django asks for it before its apps are loaded

        return MemberSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        session: Any = super().create_model_instance(data)
        note = data.get(SIGN_IN)
        if note and SESSION_KEY in data:
            begun_at = datetime.fromtimestamp(note["at"], UTC)
            session.member_id = int(data[SESSION_KEY])
            session.begun_at = begun_at
            session.how, session.address, session.agent = note["how"], note["address"], note["agent"]
            until = datetime.fromtimestamp(note["until"], UTC) if "until" in note else begun_at + LONGEST
            session.expire_date = min(session.expire_date, begun_at + LONGEST, until)
        return session
