import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

import settings
from db.engine import driver_url
from settings import SettingError, Settings, read_settings

STRONG = "correct-horse-battery-staple-0123456789-and-some-more-of-it-to-be-long"
POSTGRESQL = "postgresql://somebody:their-password@db.example/quintet"

BAD = {
    "HOST": ["a\nb", "\udcff"],
    "PORT": [
        "abc",
        "-1",
        "65536",
        "80.0",
        " 80",
        "+80",
        "1e3",
        "0x50",
        "99999999999999999999",
        "\u0668\u0660",
        "\udcff",
    ],
    "DATABASE_URL": [
        "mysql://x/y",
        "abc",
        "postgresql://h:port/db",
        "sqlite://",
        "sqlite:///:memory:",
        "://",
        "\udcff",
    ],
    "JWT_ALGORITHM": ["none", "RS256", "hs256", "HS1024"],
    "ACCESS_TOKEN_EXPIRE_MINUTES": ["0", "-15", "1.5", "15m", "525601", "9" * 5_000],
    "REFRESH_TOKEN_EXPIRE_DAYS": ["0", "-7", "week", "3651"],
    "ALLOWED_ORIGINS": [
        "localhost:3000",
        "http://a/",
        "https://a/b",
        "ftp://a",
        "http://",
        "http://a b",
        "https://a?b",
        "http://a;http://b",
        "https://A.example",
        "null",
        "http://user@a",
        "https://*.a.example",
        "http://a:port",
        "\udcff",
    ],
    "DEBUG": ["maybe", "2", "truee", "\udcff"],
    "RATE_LIMIT_PER_MINUTE": ["-1", "many", "1.0", "1000001"],
}
WEAK = ["", "short", "a" * 64, "0123456789" * 3, "password" * 8, "\udcff" * 40, "x\n" * 40]


@pytest.fixture(autouse=True)
def key_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep the key of this machine out of the tests."""
    monkeypatch.setattr(settings, "KEY_FILE", tmp_path / "var" / "jwt_secret_key")
    return settings.KEY_FILE


def read(**environment: str) -> Settings:
    return read_settings(environment)


def test_nothing_has_to_be_set(key_file: Path):
    found = read()

    assert (found.host, found.port, found.debug) == ("127.0.0.1", 8000, False)
    assert found.database_url.startswith("sqlite:///")
    assert (found.access_lifetime, found.refresh_lifetime) == (timedelta(minutes=15), timedelta(days=7))
    assert found.allowed_origins == ("http://localhost:5173", "http://localhost:3000")
    assert (found.jwt_algorithm, found.rate_limit_per_minute) == ("HS256", 60)
    assert found.jwt_secret_key == key_file.read_text()


def test_everything_can_be_set():
    found = read(
        HOST="::1",
        PORT="0",
        DATABASE_URL=POSTGRESQL,
        JWT_SECRET_KEY=STRONG,
        JWT_ALGORITHM="HS512",
        ACCESS_TOKEN_EXPIRE_MINUTES="5",
        REFRESH_TOKEN_EXPIRE_DAYS="30",
        ALLOWED_ORIGINS="https://app.example, http://[::1]:3000 ,",
        DEBUG="Yes",
        RATE_LIMIT_PER_MINUTE="0",
    )

    assert found == Settings(
        host="::1",
        port=0,
        database_url=POSTGRESQL,
        jwt_secret_key=STRONG,
        jwt_algorithm="HS512",
        access_lifetime=timedelta(minutes=5),
        refresh_lifetime=timedelta(days=30),
        allowed_origins=("https://app.example", "http://[::1]:3000"),
        debug=True,
        rate_limit_per_minute=0,
    )


def test_what_is_set_to_nothing_is_not_set():
    names = [name for name in BAD if name != "ALLOWED_ORIGINS"]

    found = read(**dict.fromkeys(names, ""))

    assert found == read()


def test_origins_set_to_nothing_are_none():
    assert read(ALLOWED_ORIGINS="").allowed_origins == ()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_value_is_refused_in_one_line_that_names_the_variable_and_not_the_value(name: str, value: str):
    with pytest.raises(SettingError) as refused:
        read(**{name: value})

    told = str(refused.value)
    assert told.startswith(f"{name} has to be ")
    assert "\n" not in told
    assert "\udcff" not in told


@pytest.mark.parametrize("key", WEAK)
def test_postgresql_wants_a_strong_key(key: str):
    with pytest.raises(SettingError, match="JWT_SECRET_KEY has to be ") as refused:
        read(DATABASE_URL=POSTGRESQL, JWT_SECRET_KEY=key)

    assert not key or key not in str(refused.value)
    assert "their-password" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"])
def test_postgresql_is_postgresql_however_its_url_is_written(scheme: str):
    url = read(DATABASE_URL=POSTGRESQL.replace("postgresql", scheme), JWT_SECRET_KEY=STRONG).database_url

    assert driver_url(url) == driver_url(POSTGRESQL)


def test_a_longer_hash_wants_a_longer_key():
    with pytest.raises(SettingError, match="at least 64 bytes"):
        read(DATABASE_URL=POSTGRESQL, JWT_SECRET_KEY=STRONG[:63], JWT_ALGORITHM="HS512")


def test_debugging_with_postgresql_any_key_will_do(key_file: Path):
    found = read(DATABASE_URL=POSTGRESQL, DEBUG="true")

    assert found.jwt_secret_key == key_file.read_text()


def test_the_key_is_made_once_and_only_its_owner_may_read_it(key_file: Path):
    before = os.umask(0)

    keys = {read().jwt_secret_key for _ in range(3)}

    os.umask(before)
    assert len(keys) == 1
    assert len(keys.pop()) == 128
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert [file.name for file in key_file.parent.iterdir()] == [key_file.name]


def test_processes_that_start_at_once_agree_on_a_key():
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: read().jwt_secret_key, range(32)))

    assert len(keys) == 1


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff" * 128])
def test_a_damaged_key_is_not_used(key_file: Path, content: bytes):
    key_file.parent.mkdir()
    key_file.write_bytes(content)

    with pytest.raises(SettingError, match="key file"):
        read()


def test_a_key_that_cannot_be_kept_is_told(key_file: Path):
    key_file.parent.write_text("a file where a folder should be")

    with pytest.raises(SettingError, match="can be neither read nor made"):
        read()


def test_the_file_env_stands_below_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    (tmp_path / ".env").write_text("PORT=1234\nHOST=here.example\nDEBUG\n")
    monkeypatch.setenv("PORT", "4321")
    monkeypatch.delenv("HOST", raising=False)

    found = read_settings()

    assert (found.port, found.host) == (4321, "here.example")


def test_a_file_env_that_is_no_text_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    (tmp_path / ".env").write_bytes(b"HOST=\xff\xfe")

    with pytest.raises(SettingError, match=r"\.env cannot be read"):
        read_settings()
