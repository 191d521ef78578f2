from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select, text

import clock
from db.accounts.accounts import Account, change_account
from db.errors import Duplicate
from db.sql.engine import autocommit, transaction
from db.sql.ownership import find_owned
from db.tasks.tags import PALETTE, Tag, add_tag, change_tag, color_of, task_tags
from db.tasks.tasks import Task, new_task
from tests.conftest import HANGS_AFTER

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def new_tag(owner: int, name: str) -> int:
    with transaction() as session:
        return add_tag(session, {"name": name}, owner=owner, at=clock.now()).id


def refused(work: Future[None]) -> bool:
    return isinstance(work.exception(), Duplicate)


def test_the_color_of_a_name_never_changes():
    colors = {name: color_of(name) for name in ("work", "important", "ä", "😀")}

    assert colors == {name: color_of(name) for name in colors}
    assert set(colors.values()) <= set(PALETTE)
    assert (colors["work"], colors["important"]) == ("#FF5733", "#33FF57")


def test_two_tags_that_swap_names_while_both_have_left_theirs_keep_them(owner: int, on_postgresql: bool):
    a, b = new_tag(owner, "a"), new_tag(owner, "b")
    both_left = Barrier(2, timeout=HANGS_AFTER)

    def rename(tag_id: int, name: str) -> None:
        with transaction() as session:
            tag = find_owned(session, Tag, tag_id, owner=owner)
            change_tag(session, tag, {"name": f"no longer {tag.name}"}, at=clock.now())
            if on_postgresql:  # SQLite lets one in after the other.
                both_left.wait()
            change_tag(session, tag, {"name": name}, at=clock.now())

    with ThreadPoolExecutor(2) as threads:
        works = [threads.submit(rename, a, "b"), threads.submit(rename, b, "a")]

    assert [refused(work) for work in works] == [True, True]


def test_two_accounts_that_swap_names_while_both_have_left_theirs_keep_them(new_owner, on_postgresql: bool):
    owners = [new_owner(), new_owner()]
    both_left = Barrier(2, timeout=HANGS_AFTER)
    with transaction() as session:
        names = [session.get_one(Account, one).username for one in owners]

    def rename(account_id: int, name: str) -> None:
        with transaction() as session:
            change_account(session, account_id, {"username": f"no.longer.{account_id}"}, at=clock.now())
            if on_postgresql:
                both_left.wait()
            change_account(session, account_id, {"username": name}, at=clock.now())

    with ThreadPoolExecutor(2) as threads:
        works = [threads.submit(rename, *one) for one in zip(owners, names[::-1], strict=True)]

    assert [refused(work) for work in works] == [True, True]


@pytest.mark.parametrize("what", ["names it", "repeats"])
def test_a_task_waits_for_a_tag_that_is_being_deleted(owner: int, on_postgresql: bool, what: str):
    tag_id = new_tag(owner, "going")
    with transaction() as session:
        values = {"title": "Water the plants", "tags": ["going"], "recurrence": {"pattern_type": "daily"}}
        task_id = new_task(session, values, owner=owner, at=clock.now()).id

    def change() -> None:
        changes = {"tags": ["going", "new"]} if what == "names it" else {"status": "completed"}
        with transaction() as session:
            find_owned(session, Task, task_id, owner=owner).change(changes, at=clock.now())

    with ThreadPoolExecutor(1) as threads:
        with transaction() as session:
            session.delete(find_owned(session, Tag, tag_id, owner=owner))
            session.flush()
            work = threads.submit(change)
            if on_postgresql:  # SQLite lets the other one begin only afterwards.
                wait_for_a_waiter()
        work.result()

    with autocommit() as connection:
        tags = connection.execute(select(Tag.name).join(task_tags).where(Tag.account_id == owner).order_by(Tag.name))
        tasks = connection.execute(select(func.count()).where(Task.account_id == owner)).scalar_one()
        assert ([row.name for row in tags], tasks) == ((["going", "new"], 1) if what == "names it" else ([], 2))


def wait_for_a_waiter() -> None:
    """Ask PostgreSQL until a transaction waits for a lock that another one holds."""
    with autocommit() as connection:
        while not connection.execute(WAITING).scalar_one():
            pass
