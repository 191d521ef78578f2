from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from db.personal_anchor import Profile, find_profile, read_profile
from db.sql.engine import autocommit, transaction

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_a_missing_profile_is_made_empty(owner: int):
    with autocommit() as connection:
        profile = read_profile(connection, owner=owner, at=MORNING)

    assert (profile.account_id, profile.professional_title, profile.one_liner_bio) == (owner, None, None)
    assert (profile.created_at, profile.updated_at) == (MORNING, MORNING)


def test_a_profile_that_is_there_stays(owner: int):
    with transaction() as session:
        find_profile(session, owner=owner, at=MORNING).change({"one_liner_bio": "Kept"}, at=MORNING)

    with autocommit() as connection:
        profile = read_profile(connection, owner=owner, at=MORNING + timedelta(days=1))

    assert (profile.one_liner_bio, profile.created_at) == ("Kept", MORNING)


def test_many_who_ask_at_once_make_one_profile(owner: int):
    def ask(minute: int) -> datetime:
        with autocommit() as connection:
            return read_profile(connection, owner=owner, at=MORNING + timedelta(minutes=minute)).created_at

    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(ask, range(8)))

    assert len(made) == 1
    with autocommit() as connection:
        profiles = select(func.count()).select_from(Profile).where(Profile.account_id == owner)
        assert connection.execute(profiles).scalar() == 1
