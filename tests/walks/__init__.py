import pytest

pytest.register_assert_rewrite(*(f"tests.walks.{name}" for name in ("account", "anchor", "focus", "tasks")))
