"""Focus sessions, the garden and the statistics."""

from datetime import date, timedelta
from math import isqrt
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import rule
from hypothesis.strategies import DataObject

from tests.walks import plain
from tests.walks.account import drawn, draws, one_of
from tests.walks.anchor import AnchorLife
from tests.walks.plain import Members, run_to

SESSIONS, GARDEN = "/api/sessions", "/api/garden"
DAY = timedelta(days=1)
SHOWN_OF_SESSIONS = ("id", "user_id", "duration_min", "focus_min", "completed", "created_at", "completed_at")
SHOWN_OF_PLANTS = ("id", "user_id", "session_id", "plant_num", "plant_type", "growth_stage", "created_at")


class FocusLife(AnchorLife):
    """Sessions are credited to days, which the account's time zone decides."""

    def __init__(self, *who: Any) -> None:
        super().__init__(*who)
        self.sessions: list[Members] = []
        self.plants: list[Members] = []

    @rule(data=draws)
    def start_session(self, data: DataObject) -> None:
        body = drawn(data, "focusguard", "create_session")

        answer = self.send("POST", SESSIONS, body, 201)

        session = {"id": answer["id"], "user_id": self.person.uuid, "duration_min": body.get("duration_min")}
        session |= {"focus_min": 0, "completed": False, "created_at": self.clock.at, "completed_at": None, "on": None}
        self.sessions.append(session)
        assert session_json(session) == answer

    @rule(data=draws)
    def change_session(self, data: DataObject) -> None:
        session = one_of(data, self.sessions)
        body = drawn(data, "focusguard", "update_session")
        is_refused = session["completed"] and body.get("completed") is False
        if not is_refused:
            session["duration_min"] = body.get("duration_min", session["duration_min"])
            if body.get("completed") and not session["completed"]:
                self.complete(session, body.get("actual_duration_min"))

        answer = self.send("PATCH", f"{SESSIONS}/{session['id']}", body, 409 if is_refused else 200)

        assert is_refused or session_json(session) == answer
        self.hold_focus()

    @rule(data=draws)
    def delete_session(self, data: DataObject) -> None:
        session = one_of(data, self.sessions)
        self.sessions = [one for one in self.sessions if one is not session]
        self.plants = [one for one in self.plants if one["session_id"] != session["id"]]

        self.send("DELETE", f"{SESSIONS}/{session['id']}", status=204)

        self.hold_focus()

    @rule(data=draws)
    def plant(self, data: DataObject) -> None:
        session = one_of(data, self.sessions)
        body = {**drawn(data, "focusguard", "create_plant"), "session_id": session["id"]}
        is_refused = any(one["session_id"] == session["id"] for one in self.plants)

        answer = self.send("POST", GARDEN, body, 409 if is_refused else 201)

        if not is_refused:
            highest = max((one["plant_num"] for one in self.plants), default=0)
            plant = {"growth_stage": 0, "plant_num": highest + 1, **body, "id": answer["id"]}
            self.plants.append({**plant, "user_id": self.person.uuid, "created_at": self.clock.at})
        self.hold_garden()

    @rule(data=draws)
    def change_plant(self, data: DataObject) -> None:
        plant = one_of(data, self.plants)
        body = drawn(data, "focusguard", "update_plant")
        plant.update(body)

        self.send("PATCH", f"{GARDEN}/{plant['id']}", body)

        self.hold_garden()

    @rule(data=draws)
    def delete_plant(self, data: DataObject) -> None:
        plant = one_of(data, self.plants)
        self.plants = [one for one in self.plants if one is not plant]

        self.send("DELETE", f"{GARDEN}/{plant['id']}", status=204)

        self.hold_garden()

    @rule(zone=st.sampled_from(["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns", None]))
    def move(self, zone: str | None) -> None:
        if zone != self.preferences.get("timezone"):
            self.me["updated_at"] = self.clock.at
        self.preferences = {**self.preferences, "timezone": zone}
        if zone is None:
            del self.preferences["timezone"]

        self.send("PUT", "/v1/users/me", {"preferences": {"timezone": zone}})

        self.hold_focus()

    def teardown(self) -> None:
        self.hold_focus()
        super().teardown()

    def complete(self, session: Members, actual_min: int | None) -> None:
        known = [minutes for minutes in (actual_min, session["duration_min"]) if minutes is not None]
        elapsed = int((self.clock.at - session["created_at"]).total_seconds() // 60)
        day = self.today()
        left = 1440 - plain.days_of(self.sessions).get(day, (0, 0))[0]
        session["focus_min"] = min([*known, elapsed][0], left)
        session |= {"completed": True, "completed_at": self.clock.at, "on": day}

    def today(self) -> date:
        return self.clock.at.astimezone(ZoneInfo(self.preferences.get("timezone", "UTC"))).date()

    def hold_focus(self) -> None:
        """Hold sessions and statistics to what they should be."""
        shown = sorted(map(session_json, self.sessions), key=by_time_and_id, reverse=True)
        assert {"sessions": shown, "total": len(shown)} == self.get(SESSIONS)
        days = plain.days_of(self.sessions)
        minutes, today = sum(day[0] for day in days.values()), self.today()
        stats = self.get("/api/stats/me")
        assert stats["total_focus_min"] == minutes
        assert stats["total_sessions"] == sum(day[1] for day in days.values())
        assert stats["current_streak"] == run_to(today if today in days else today - DAY, days)
        assert stats["best_streak"] == max((run_to(day, days) for day in days), default=0)
        me = self.get("/api/users/me")
        assert (me["xp_points"], me["lvl"]) == (minutes, max(1, isqrt(minutes // 50)))
        sums = [(f"{day}", *days.get(day, (0, 0))) for day in (today - number * DAY for number in range(3))]
        assert [tuple(day.values()) for day in self.get("/api/stats/daily/3")["daily_stats"]] == sums
        self.hold_garden()

    def hold_garden(self) -> None:
        shown = [plain.shown({name: plant[name] for name in SHOWN_OF_PLANTS}) for plant in self.plants]
        gardens = [plant | {"total_plants": len(shown)} for plant in shown]
        oldest_first = sorted(sorted(gardens, key=by_time_and_id, reverse=True), key=lambda one: one["created_at"])
        assert {"gardens": oldest_first, "total": len(shown)} == self.get(GARDEN)


def session_json(session: Members) -> Members:
    return plain.shown({name: session[name] for name in SHOWN_OF_SESSIONS})


def by_time_and_id(thing: Members) -> tuple[str, str]:
    """Return what things are sorted by whose ids do not grow with time."""
    return thing["created_at"], thing["id"]
