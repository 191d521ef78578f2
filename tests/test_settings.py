import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

import environment
from environment import SettingError
from settings import Settings, read_settings

pytestmark = pytest.mark.usefixtures("own_folder")

STRONG = "0123456789abcdef" * 2
IN_EARNEST = {"DATABASE_URL": "postgresql://maya:hidden@db.example/quintet"}
PLAIN_TEXT = "has to be plain text"

DEFAULTS = {
    "host": "127.0.0.1",
    "port": 8000,
    "database_url": f"sqlite:///{environment.ROOT}/var/quintet.db",
    "jwt_algorithm": "HS256",
    "access_lifetime": timedelta(minutes=15),
    "refresh_lifetime": timedelta(days=7),
    "allowed_origins": ("http://localhost:5173", "http://localhost:3000"),
    "debug": False,
    "https_only": False,
    "demo": False,
    "rate_limit_per_minute": 60,
    "trusted_proxies": "",
    "workers": 1,
    "keep_alive": 75,
    "database_replica_url": "",
    "prepared_statements": True,
    "migrate": True,
    "jwt_previous_keys": (),
    "log_level": "info",
    "metrics": False,
    "metrics_allow_ips": "127.0.0.1/32,::1/128",
    "otlp_endpoint": "",
}

GOOD = [
    ("HOST", "0.0.0.0", "host", "0.0.0.0"),
    ("HOST", "::1", "host", "::1"),
    ("PORT", "0", "port", 0),
    ("PORT", "65535", "port", 65_535),
    ("PORT", "080", "port", 80),
    ("DATABASE_URL", "sqlite:////tmp/other.db", "database_url", "sqlite:////tmp/other.db"),
    ("JWT_SECRET_KEY", "short, on one's own machine", "jwt_secret_key", "short, on one's own machine"),
    ("JWT_ALGORITHM", "HS384", "jwt_algorithm", "HS384"),
    ("JWT_ALGORITHM", "HS512", "jwt_algorithm", "HS512"),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", "1", "access_lifetime", timedelta(minutes=1)),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", "525600", "access_lifetime", timedelta(days=365)),
    ("REFRESH_TOKEN_EXPIRE_DAYS", "1", "refresh_lifetime", timedelta(days=1)),
    ("REFRESH_TOKEN_EXPIRE_DAYS", "3650", "refresh_lifetime", timedelta(days=3_650)),
    ("ALLOWED_ORIGINS", "https://app.example", "allowed_origins", ("https://app.example",)),
    (
        "ALLOWED_ORIGINS",
        " http://a.example:81 ,, http://[::1]:5173",
        "allowed_origins",
        ("http://a.example:81", "http://[::1]:5173"),
    ),
    ("ALLOWED_ORIGINS", "*", "allowed_origins", ("*",)),
    ("ALLOWED_ORIGINS", "", "allowed_origins", ()),
    ("FORWARDED_ALLOW_IPS", "10.0.0.0/8,127.0.0.1", "trusted_proxies", "10.0.0.0/8,127.0.0.1"),
    ("DEBUG", "True", "debug", True),
    ("DEBUG", "1", "debug", True),
    ("DEBUG", "on", "debug", True),
    ("DEBUG", "no", "debug", False),
    ("DEBUG", "0", "debug", False),
    ("DEMO", "yes", "demo", True),
    ("HTTPS_ONLY", "true", "https_only", True),
    ("HTTPS_ONLY", "off", "https_only", False),
    ("RATE_LIMIT_STORAGE_URL", "memory://", "rate_limit_storage_url", "memory://"),
    ("RATE_LIMIT_STORAGE_URL", "redis://u:p@cache:6379/1", "rate_limit_storage_url", "redis://u:p@cache:6379/1"),
    ("RATE_LIMIT_STORAGE_URL", "rediss://cache:6379", "rate_limit_storage_url", "rediss://cache:6379"),
    ("RATE_LIMIT_PER_MINUTE", "0", "rate_limit_per_minute", 0),
    ("RATE_LIMIT_PER_MINUTE", "1000000", "rate_limit_per_minute", 1_000_000),
    ("WORKERS", "4", "workers", 4),
    ("KEEP_ALIVE", "5", "keep_alive", 5),
    (
        "DATABASE_REPLICA_URL",
        "postgresql://db.example/quintet",
        "database_replica_url",
        "postgresql://db.example/quintet",
    ),
    ("PREPARED_STATEMENTS", "false", "prepared_statements", False),
    ("MIGRATE", "off", "migrate", False),
    ("JWT_PREVIOUS_KEYS", "one, and another", "jwt_previous_keys", ("one", "and another")),
    ("LOG_LEVEL", "WARNING", "log_level", "warning"),
    ("METRICS", "on", "metrics", True),
    ("METRICS_ALLOW_IPS", "10.0.0.0/8, ::1", "metrics_allow_ips", "10.0.0.0/8,::1/128"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", "otlp_endpoint", "http://collector:4318"),
]

BAD = [
    ("HOST", "local\0host", PLAIN_TEXT),
    ("HOST", "\udcff", PLAIN_TEXT),
    ("PORT", "\udcff", PLAIN_TEXT),
    ("PORT", "0x50", "from 0 to 65535"),
    ("PORT", "65536", "from 0 to 65535"),
    ("PORT", "-1", "from 0 to 65535"),
    ("PORT", "+80", "from 0 to 65535"),
    ("PORT", "80.0", "from 0 to 65535"),
    ("PORT", " 80", "from 0 to 65535"),
    ("PORT", "http", "from 0 to 65535"),
    ("PORT", "\N{FULLWIDTH DIGIT EIGHT}0", "from 0 to 65535"),
    ("PORT", "9" * 5_000, "from 0 to 65535"),
    ("DATABASE_URL", "mysql://maya:hidden@db.example/quintet", "postgresql://"),
    ("DATABASE_URL", "quintet.db", "postgresql://"),
    ("DATABASE_URL", "postgresql://maya:hidden@db.example:port/quintet", "postgresql://"),
    ("DATABASE_URL", "sqlite://", "postgresql://"),
    ("DATABASE_URL", "sqlite:///:memory:", "postgresql://"),
    ("DATABASE_URL", "sqlite:////srv/none/quintet.db", "in a folder that is there, and '/srv/none' is not"),
    ("DATABASE_URL", "sqlite:///none/quintet.db", "in a folder that is there, and 'none' is not"),
    ("DATABASE_URL", "sqlite:////etc/hostname/quintet.db", "in a folder that is there, and '/etc/hostname' is not"),
    ("DATABASE_URL", "sqlite:///file:/srv/none%250A/a.db?uri=true", r"in a folder that is there, and '/srv/none\n'"),
    ("JWT_SECRET_KEY", "hidden\nhidden", PLAIN_TEXT),
    ("JWT_ALGORITHM", "none", "HS256"),
    ("JWT_ALGORITHM", "hs256", "HS256"),
    ("JWT_ALGORITHM", "RS256", "HS256"),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", "0", "from 1 to 525600"),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", "525601", "from 1 to 525600"),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", "15m", "from 1 to 525600"),
    ("REFRESH_TOKEN_EXPIRE_DAYS", "0", "from 1 to 3650"),
    ("REFRESH_TOKEN_EXPIRE_DAYS", "3651", "from 1 to 3650"),
    ("ALLOWED_ORIGINS", "app.example", "https://app.example"),
    ("ALLOWED_ORIGINS", "https://app.example/", "https://app.example"),
    ("ALLOWED_ORIGINS", "https://App.Example", "https://app.example"),
    ("ALLOWED_ORIGINS", "https://maya:hidden@app.example", "https://app.example"),
    ("ALLOWED_ORIGINS", "https://a.example https://b.example", "https://app.example"),
    ("ALLOWED_ORIGINS", "https://*.app.example", "https://app.example"),
    ("ALLOWED_ORIGINS", "https://a.example;https://b.example", "https://app.example"),
    ("ALLOWED_ORIGINS", "https://app.example?page", "https://app.example"),
    ("ALLOWED_ORIGINS", "https://app.example:port", "https://app.example"),
    ("ALLOWED_ORIGINS", "https://", "https://app.example"),
    ("ALLOWED_ORIGINS", "ftp://app.example", "https://app.example"),
    ("ALLOWED_ORIGINS", "null", "https://app.example"),
    ("DEBUG", "yess", "true or false"),
    ("DEBUG", "2", "true or false"),
    ("DEMO", "please", "true or false"),
    ("HTTPS_ONLY", "https", "true or false"),
    ("RATE_LIMIT_STORAGE_URL", "redis://cache", "redis://host:6379/0"),
    ("RATE_LIMIT_STORAGE_URL", "http://cache:6379", "redis://host:6379/0"),
    ("RATE_LIMIT_PER_MINUTE", "-1", "from 0 to 1000000"),
    ("RATE_LIMIT_PER_MINUTE", "1000001", "from 0 to 1000000"),
    ("RATE_LIMIT_PER_MINUTE", "sixty", "from 0 to 1000000"),
    ("WORKERS", "0", "from 1 to 256"),
    ("KEEP_ALIVE", "0", "from 1 to 3600"),
    ("DATABASE_REPLICA_URL", "sqlite:////tmp/hidden.db", "postgresql://"),
    ("DATABASE_REPLICA_URL", "db.example:5432", "postgresql://"),
    ("PREPARED_STATEMENTS", "maybe", "true or false"),
    ("MIGRATE", "never", "true or false"),
    ("LOG_LEVEL", "loud", "debug, info, warning, error"),
    ("METRICS", "prometheus", "true or false"),
    ("METRICS_ALLOW_IPS", "localhost", "127.0.0.1,10.0.0.0/8"),
    ("METRICS_ALLOW_IPS", "10.0.0.1/8", "127.0.0.1,10.0.0.0/8"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "http://host:4318"),
]


def test_where_nothing_is_set_there_are_defaults():
    found = asdict(read_settings({}))

    assert {name: found[name] for name in DEFAULTS} == DEFAULTS


def test_what_is_set_to_nothing_is_not_set():
    nothing = dict.fromkeys({name for name, *_ in GOOD} - {"ALLOWED_ORIGINS"}, "")

    assert read_settings(nothing) == read_settings({})


@pytest.mark.parametrize(("name", "text", "setting", "expected"), GOOD)
def test_a_variable_sets_what_it_is_for_and_nothing_else(name: str, text: str, setting: str, expected: object):
    found = asdict(read_settings({"JWT_SECRET_KEY": STRONG, name: text}))

    assert found == asdict(read_settings({"JWT_SECRET_KEY": STRONG})) | {setting: expected}


@pytest.mark.parametrize(("name", "text", "words"), BAD)
def test_a_bad_value_is_refused_by_the_variables_name(name: str, text: str, words: str):
    with pytest.raises(SettingError) as refusal:
        read_settings({"JWT_SECRET_KEY": STRONG, name: text})

    assert str(refusal.value).startswith(f"{name} has to be")
    assert words in str(refusal.value)
    assert "hidden" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(sorted({name for name, *_ in GOOD})), st.text()))
def test_no_environment_is_worse_than_refused(environment: Mapping[str, str]):
    said = refusal_of(environment)

    assert said is None or any(said.startswith(f"{name} has to be") for name in environment)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://maya@db.example/quintet",
        "postgresql://maya@a.example:5432,b.example:5432/quintet?target_session_attrs=read-write",
    ],
)
def test_a_database_in_earnest_may_be_named_in_any_way(url: str):
    assert read_settings({"DATABASE_URL": url, "JWT_SECRET_KEY": STRONG}).database_url == url


@pytest.mark.parametrize(
    ("algorithm", "length"), [("HS256", 32), ("HS384", 48), ("HS512", 64)], ids=["HS256", "HS384", "HS512"]
)
def test_in_earnest_the_key_is_as_long_as_the_hash(algorithm: str, length: int):
    environment = {**IN_EARNEST, "JWT_ALGORITHM": algorithm}
    key = (STRONG * 2)[:length]

    assert read_settings({**environment, "JWT_SECRET_KEY": key}).jwt_secret_key == key
    with pytest.raises(SettingError) as refusal:
        read_settings({**environment, "JWT_SECRET_KEY": key[1:]})
    assert f"JWT_SECRET_KEY has to be set to a random text of at least {length} bytes" in str(refusal.value)


@pytest.mark.parametrize("key", ["", "hidden", "hidden" * 20, "x" * 64, "secret-key" * 3])
def test_in_earnest_a_key_that_can_be_guessed_is_refused_and_not_shown(key: str):
    with pytest.raises(SettingError) as refusal:
        read_settings({**IN_EARNEST, "JWT_SECRET_KEY": key})

    assert str(refusal.value).startswith("JWT_SECRET_KEY has to be set")
    assert "hidden" not in str(refusal.value)
    assert "secret-key" not in str(refusal.value)


def test_in_earnest_no_key_is_made_up(own_folder: Path):
    with pytest.raises(SettingError):
        read_settings(IN_EARNEST)

    assert not (own_folder / "var").exists()


def test_debugging_needs_no_key_of_its_own():
    found = read_settings({**IN_EARNEST, "DEBUG": "true"})

    assert len(found.jwt_secret_key) == 128


def test_the_key_that_is_made_up_is_kept_for_its_owner_alone(own_folder: Path):
    first = read_settings({}).jwt_secret_key

    file = own_folder / "var" / "jwt_secret_key"
    assert read_settings({}).jwt_secret_key == first == file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_key_that_is_set_comes_before_the_one_that_is_kept(own_folder: Path):
    read_settings({})

    assert read_settings({"JWT_SECRET_KEY": STRONG}).jwt_secret_key == STRONG


def test_processes_that_start_at_once_keep_one_key():
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: read_settings({}).jwt_secret_key, range(8)))

    assert [len(key) for key in keys] == [128]


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 128], ids=["empty", "short", "not text"])
def test_a_damaged_key_file_is_refused(own_folder: Path, content: bytes):
    keep_key(own_folder, content)

    with pytest.raises(SettingError, match="the key file"):
        read_settings({})


@pytest.mark.parametrize("key", ["0" * 128, "hidden" * 20, "secret-key" * 7, "0123456789abcdef" * 4 + "\n"])
def test_a_kept_key_is_held_to_the_rules_of_one_that_is_set(own_folder: Path, key: str):
    keep_key(own_folder, key.encode())

    said_of_set = refusal_of({**IN_EARNEST, "JWT_SECRET_KEY": key.strip()})
    said = refusal_of({})

    assert (said is None) == (said_of_set is None)
    if said is not None:
        assert said.startswith(
            f"the key file {own_folder}/var/jwt_secret_key holds no random text of at least 32 bytes"
        )
        assert "delete it" in said
        assert "\n" not in said
        assert key not in said


@pytest.mark.parametrize(("algorithm", "length"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_kept_key_is_as_long_as_the_hash(own_folder: Path, algorithm: str, length: int):
    key = (STRONG * 2)[:length]
    keep_key(own_folder, key.encode())
    assert read_settings({"JWT_ALGORITHM": algorithm}).jwt_secret_key == key

    keep_key(own_folder, key[1:].encode())

    assert f"at least {length} bytes" in str(refusal_of({"JWT_ALGORITHM": algorithm}))


@pytest.mark.parametrize(
    ("environment", "https_only"),
    [
        ({}, False),
        ({"DEBUG": "true"}, False),
        (IN_EARNEST, True),
        ({**IN_EARNEST, "DEBUG": "true"}, False),
        ({**IN_EARNEST, "HTTPS_ONLY": "false"}, False),
        ({**IN_EARNEST, "HTTPS_ONLY": ""}, True),
        ({**IN_EARNEST, "HTTPS_ONLY": "true", "DEBUG": "true"}, True),
    ],
)
def test_in_earnest_https_alone_is_served_unless_the_variable_says_otherwise(
    environment: Mapping[str, str], https_only: bool
):
    assert read_settings({**environment, "JWT_SECRET_KEY": STRONG}).https_only == https_only


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////srv/quintet.db", "/srv/quintet.db"),
        ("sqlite:///beside.db", "beside.db"),
        ("sqlite:///file:/srv/a%2520b.db?uri=true", "/srv/a b.db"),
        ("postgresql://maya@db.example/quintet", None),
    ],
)
def test_the_file_of_a_database_is_known(url: str, file: str | None):
    found = read_settings({"DATABASE_URL": url, "JWT_SECRET_KEY": STRONG}).database_file

    assert found == (None if file is None else Path(file))


def test_a_key_file_that_cannot_be_made_is_refused(own_folder: Path):
    (own_folder / "var").write_text("a file in the folder's place")

    with pytest.raises(SettingError, match="the key file"):
        read_settings({})


def test_a_folder_of_its_own_is_the_only_one_that_need_not_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = tmp_path / "new" / "quintet.db"
    monkeypatch.setattr("settings.DEFAULT_DATABASE", own)

    assert read_settings({"DATABASE_URL": f"sqlite:///{own}"}).database_file == own


def test_every_setting_is_tested_here():
    tested = {setting for _, _, setting, _ in GOOD}

    assert tested == {field.name for field in fields(Settings)}


def keep_key(folder: Path, content: bytes) -> None:
    (folder / "var").mkdir(exist_ok=True)
    (folder / "var" / "jwt_secret_key").write_bytes(content)


def refusal_of(environment: Mapping[str, str]) -> str | None:
    try:
        read_settings(environment)
    except SettingError as refusal:
        return str(refusal)
    return None
