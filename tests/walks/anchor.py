"""The account itself, its preferences and its personal anchor."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from hypothesis.strategies import DataObject

from tests.walks import plain
from tests.walks.account import Account, drawn, draws, one_of
from tests.walks.plain import Members, in_order

KINDS: dict[str, tuple[str, Members]] = {
    "achievements": (
        "achievement",
        {"description": None, "quantifiable_results": None, "core_skills_json": [], "date_achieved": None},
    ),
    "current_focus": ("focus_item", {"item_type": None, "description": None, "start_date": None, "status": None}),
    "future_plans": ("future_plan", {"goal_type": None, "target_date": None, "status": "active"}),
}
"""The lists of the personal anchor: what the contract calls one of their things, and what it is left alone."""

kinds = st.sampled_from(list(KINDS))


class AnchorLife(Account):
    """What an account says of itself."""

    def __init__(self, *who: Any) -> None:
        super().__init__(*who)
        self.things: dict[str, list[Members]] = {kind: [] for kind in KINDS}
        me = self.get("/api/users/me")
        self.me: Members = {name: me[name] for name in ("username", "email", "updated_at")}
        self.preferences: Members = {"theme": "light"}
        profile = self.get("/api/v1/anchor/profile")
        self.profile: Members = {**profile, "professional_title": None, "one_liner_bio": None}

    @rule(data=draws, kind=kinds)
    def add_thing(self, data: DataObject, kind: str) -> None:
        called, defaults = KINDS[kind]
        body = drawn(data, "workspace", f"create_{called}")
        at = {"created_at": self.clock.at, "updated_at": self.clock.at}

        answer = self.send("POST", f"/api/v1/anchor/{kind}", body, 201)

        self.things[kind].append({**defaults, **said(body), **at, "id": answer["id"], "user_id": self.person.id})
        self.hold_things(kind)

    @rule(data=draws, kind=kinds)
    def change_thing(self, data: DataObject, kind: str) -> None:
        thing = one_of(data, self.things[kind])
        body = drawn(data, "workspace", f"update_{KINDS[kind][0]}")
        plain.changed(thing, said(body), self.clock.at)

        answer = self.send("PUT", f"/api/v1/anchor/{kind}/{thing['id']}", body)

        assert plain.shown(thing) == answer
        self.hold_things(kind)

    @rule(data=draws, kind=kinds)
    def delete_thing(self, data: DataObject, kind: str) -> None:
        thing = one_of(data, self.things[kind])
        self.things[kind] = [one for one in self.things[kind] if one is not thing]

        self.send("DELETE", f"/api/v1/anchor/{kind}/{thing['id']}", status=204)

        self.hold_things(kind)

    @rule(data=draws)
    def change_profile(self, data: DataObject) -> None:
        body = drawn(data, "workspace", "update_profile")
        plain.changed(self.profile, body, self.clock.at)

        self.send("PUT", "/api/v1/anchor/profile", body, 200 if body else 400)

        assert plain.shown(self.profile) == self.get("/api/v1/anchor/profile")

    @rule(data=draws, contract=st.sampled_from(["fullstack", "focusguard"]))
    def change_account(self, data: DataObject, contract: str) -> None:
        body = drawn(data, contract, "update_me")
        given = body.get("preferences", {}) if contract == "fullstack" else {}
        merged = {name: value for name, value in (self.preferences | given).items() if value is not None}
        names = {name: body[name] for name in ("username", "email") if name in body}
        plain.changed(self.me, names, self.clock.at)
        if merged != self.preferences:
            self.preferences, self.me["updated_at"] = merged, self.clock.at

        self.send("PUT", {"fullstack": "/v1/users/me", "focusguard": "/api/users/me"}[contract], body)

        self.hold_account()

    def teardown(self) -> None:
        for kind in KINDS:
            self.hold_things(kind)
        self.hold_account()
        super().teardown()

    def hold_things(self, kind: str) -> None:
        """Hold a list to what it should be, in the order that the contract states."""
        path = f"/api/v1/anchor/{kind}"
        ordered = partial(in_order, self.things[kind])
        newest = ordered(lambda thing: thing["created_at"], down=True)
        expected = {
            "achievements": lambda: in_order(newest[::-1], lambda thing: thing["date_achieved"], down=True),
            "current_focus": lambda: newest,
            "future_plans": lambda: in_order(newest, lambda thing: thing["target_date"]),
        }[kind]()
        assert [plain.shown(thing) for thing in expected] == self.get(path)

    def hold_account(self) -> None:
        me = plain.shown(self.me)
        for path in ("/v1/users/me", "/api/users/me", "/api/v1/auth/me"):
            answer = self.get(path)
            assert me == {name: answer[name] for name in me}
        assert self.preferences == self.get("/v1/users/me")["preferences"]


def said(body: Members) -> Members:
    """Return what a body says: no skills are none, and an empty day is none."""
    days = {name: body[name] or None for name in body if name.endswith("_date") or name.startswith("date_")}
    skills = {name: body[name] or [] for name in body if name == "core_skills_json"}
    return {**body, **days, **skills}
