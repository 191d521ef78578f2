"""Tasks, tags and categories in four contracts at once."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from hypothesis.strategies import DataObject

from tests.walks import plain
from tests.walks.account import Account, drawn, draws, one_of
from tests.walks.plain import Members, in_order, newest_first

CONTRACTS = {
    "workspace": ("/api/v1/todo/todos", "create_todo", "update_todo"),
    "fullstack": ("/v1/tasks", "create_task", "update_task"),
    "tasktracker": ("/api/v1/tasks", "create_task", "update_task"),
    "todo": ("/api/{user_id}/tasks", "create_task", "update_task"),
}
SORTED_BY = {
    "created_at": lambda task: task["created_at"],
    "due_date": lambda task: task["due_at"],
    "priority": lambda task: (("low", "medium", "high").index(task["priority"]), task["created_at"]),
    "title": lambda task: task["title"].casefold(),
}
TAGS, CATEGORIES = "/v1/tags", "/api/v1/categories"

contracts = st.sampled_from(list(CONTRACTS))
directions = st.sampled_from(["asc", "desc"])


class TaskLife(Account):
    """The one task list."""

    def __init__(self, *who: Any) -> None:
        super().__init__(*who)
        self.tasks: list[Members] = []
        self.tags: dict[str, Members] = {}
        self.categories: list[Members] = []

    @rule(data=draws, contract=contracts)
    def add_task(self, data: DataObject, contract: str) -> None:
        body = self.in_own_category(data, drawn(data, contract, CONTRACTS[contract][1]))
        task = plain.new_task(self.values(contract, body), self.clock.at)
        status = body.get("status") if contract in {"workspace", "tasktracker"} else None
        if status is not None:
            task["status"] = status
            task["completed_at"] = self.clock.at if status == "completed" else None
        self.tasks.append(task)

        answer = self.send("POST", self.path(contract), body, 201)

        assert self.task_json(contract, task) == answer
        self.hold_tasks()

    @rule(data=draws, contract=contracts)
    def change_task(self, data: DataObject, contract: str) -> None:
        task = one_of(data, self.tasks)
        body = self.in_own_category(data, drawn(data, contract, CONTRACTS[contract][2]))
        status = None if contract == "todo" else body.get("status")
        if contract == "fullstack" and status == "active":
            status = "pending" if task["status"] == "completed" else None
        self.apply(task, self.values(contract, body, task), status)

        answer = self.send("PUT", self.path(contract, task), body)

        assert self.task_json(contract, task) == answer
        self.hold_tasks()

    @rule(data=draws, says=st.sampled_from([None, True, False, "toggle-status"]))
    def complete_task(self, data: DataObject, says: Any) -> None:
        task = one_of(data, self.tasks)
        done = says if isinstance(says, bool) else task["status"] != "completed"
        status = "completed" if done else "pending" if task["status"] == "completed" else None
        self.apply(task, {}, status)

        if says == "toggle-status":
            answer = self.send("PATCH", f"{self.path('fullstack', task)}/toggle-status")
            assert answer == {name: self.task_json("fullstack", task)[name] for name in answer}
        else:
            body = None if says is None else {"completed": says}
            assert self.task_json("todo", task) == self.send("PATCH", f"{self.path('todo', task)}/complete", body)
        self.hold_tasks()

    @rule(data=draws, contract=contracts)
    def delete_task(self, data: DataObject, contract: str) -> None:
        task = one_of(data, self.tasks)
        self.tasks = [one for one in self.tasks if one is not task]

        self.send("DELETE", self.path(contract, task), status=200 if contract == "todo" else 204)

        self.hold_tasks()

    @rule(data=draws, contract=contracts)
    def echo_task(self, data: DataObject, contract: str) -> None:
        task = one_of(data, self.tasks)

        self.send("PUT", self.path(contract, task), self.get(self.path(contract, task)))

        self.hold_tasks()

    @rule(by=st.sampled_from(list(SORTED_BY)), order=directions, data=draws)
    def list_tasks(self, by: str, order: str, data: DataObject) -> None:
        priority = data.draw(st.sampled_from([None, "low", "medium", "high"]))
        status = data.draw(st.sampled_from([None, "active", "completed"]))
        search = data.draw(st.sampled_from(["", "a", "SS", "%", "_", "/", "i"]))
        query = {"priority": priority, "status": status, "search": search, "sort_by": by, "sort_order": order}

        answer = self.get("/v1/tasks", **{name: value for name, value in query.items() if value is not None})

        expected = [
            task
            for task in in_order(self.tasks, SORTED_BY[by], down=order == "desc")
            if task["priority"] == (priority or task["priority"])
            and status in {None, "completed" if task["status"] == "completed" else "active"}
            and any(search.casefold() in (text or "").casefold() for text in (task["title"], task["description"]))
        ]
        assert [self.task_json("fullstack", task) for task in expected] == answer["tasks"]

    @rule(data=draws)
    def add_tag(self, data: DataObject) -> None:
        body = drawn(data, "fullstack", "create_tag")
        name = body["name"].strip(plain.WHITE_SPACE)
        is_taken = name in self.tags
        if not is_taken:
            self.tags[name] = plain.new_tag({**body, "name": name}, self.clock.at)

        self.send("POST", TAGS, body, 400 if is_taken else 201)

        self.hold_tags()

    @precondition(lambda self: self.tags)
    @rule(data=draws)
    def change_tag(self, data: DataObject) -> None:
        tag = one_of(data, list(self.tags.values()))
        body = drawn(data, "fullstack", "update_tag")
        name = body.get("name", tag["name"]).strip(plain.WHITE_SPACE)
        is_taken = name != tag["name"] and name in self.tags
        if not is_taken:
            self.rename_tag(tag["name"], name)
            values = {member: body[member] for member in ("color",) if member in body}
            plain.changed(tag, {**values, "name": name}, self.clock.at)

        self.send("PUT", f"{TAGS}/{tag['id'].value}", body, 400 if is_taken else 200)

        self.hold_tags()

    @precondition(lambda self: self.tags)
    @rule(data=draws)
    def delete_tag(self, data: DataObject) -> None:
        tag = one_of(data, list(self.tags.values()))
        del self.tags[tag["name"]]
        for task in self.tasks:
            task["tags"] = [name for name in task["tags"] if name != tag["name"]]

        self.send("DELETE", f"{TAGS}/{tag['id'].value}", status=204)

        self.hold_tags()

    @rule(data=draws)
    def add_category(self, data: DataObject) -> None:
        body = drawn(data, "tasktracker", "create_category")
        name = body["name"].strip(plain.WHITE_SPACE)
        is_taken = any(one["name"] == name for one in self.categories)

        answer = self.send("POST", CATEGORIES, body, 400 if is_taken else 201)

        if not is_taken:
            color = body.get("color") or "#6B7280"
            at = {"created_at": self.clock.at, "updated_at": self.clock.at}
            members = {"id": answer["id"], "user_id": self.person.id, "name": name, "color": color}
            self.categories.append(members | at)
        self.hold_categories()

    @precondition(lambda self: self.categories)
    @rule(data=draws)
    def delete_category(self, data: DataObject) -> None:
        category = one_of(data, self.categories)
        self.categories = [one for one in self.categories if one is not category]
        for task in self.tasks:
            task["category_id"] = None if task["category_id"] == category["id"] else task["category_id"]

        self.send("DELETE", f"{CATEGORIES}/{category['id']}", status=204)

        self.hold_categories()

    def teardown(self) -> None:
        self.hold_tags()
        self.hold_categories()
        super().teardown()

    def hold_tasks(self) -> None:
        """Hold what four contracts show to what it should be; ids that are new are learned."""
        for contract in CONTRACTS:
            answer = self.get(self.path(contract), **({"limit": 100} if contract == "tasktracker" else {}))
            tasks = answer if contract == "workspace" else answer["tasks"]
            assert [self.task_json(contract, task) for task in newest_first(self.tasks)] == tasks

    def hold_tags(self) -> None:
        expected = [plain.shown(self.tags[name]) for name in sorted(self.tags)]
        answer = self.get(TAGS)["tags"]
        assert [{name: tag[name] for name in ("id", "name", "color", "created_at")} for tag in expected] == answer
        self.hold_tasks()

    def hold_categories(self) -> None:
        in_order = sorted(self.categories, key=lambda one: one["name"])
        assert [plain.shown(one) for one in in_order] == self.get(CATEGORIES)["categories"]
        self.hold_tasks()

    def apply(self, task: Members, values: Members, status: str | None) -> None:
        following = plain.change_task(task, values, status, self.clock.at)
        self.tasks += [following] if following else []

    def values(self, contract: str, body: Members, task: Members | None = None) -> Members:
        return plain.task_values(contract, body, task, self.tags, self.clock.at)

    def in_own_category(self, data: DataObject, body: Members) -> Members:
        ids = [None, *(one["id"] for one in self.categories)]
        return body | ({"category_id": data.draw(st.sampled_from(ids))} if "category_id" in body else {})

    def rename_tag(self, before: str, name: str) -> None:
        self.tags[name] = self.tags.pop(before)
        for task in self.tasks:
            task["tags"] = [name if one == before else one for one in task["tags"]]

    def task_json(self, contract: str, task: Members) -> Members:
        return plain.task_json(contract, task, self.tags, self.ids)

    def path(self, contract: str, task: Members | None = None) -> str:
        path = CONTRACTS[contract][0].format(user_id=self.person.uuid)
        if task is None:
            return path
        return f"{path}/{task['uuid' if contract == 'fullstack' else 'id'].value}"
