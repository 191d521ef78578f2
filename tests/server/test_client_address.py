"""Whose address a request comes from, for whatever is counted or shared out by address."""

import pytest

from server.asgi import client_address


@pytest.mark.parametrize(
    ("client", "counted_as"),
    [
        (("203.0.113.7", 50_000), "203.0.113.7"),
        (("127.0.0.1", 50_000), "127.0.0.1"),
        (("2001:db8:1:2:3:4:5:6", 50_000), "2001:db8:1:2::/64"),
        (("2001:DB8:1:2::", 50_000), "2001:db8:1:2::/64"),
        (("2001:db8:1:3::6", 50_000), "2001:db8:1:3::/64"),
        (("::1", 50_000), "::/64"),
        (("fe80::1%eth0", 50_000), "fe80::/64"),
        (("::ffff:203.0.113.7", 50_000), "203.0.113.7"),
        (("::ffff:203.0.113.8", 50_000), "203.0.113.8"),
        (None, "local"),
    ],
)
def test_an_ipv6_address_counts_by_the_network_of_its_holder(client: tuple[str, int] | None, counted_as: str):
    assert client_address({"client": client}) == counted_as


@pytest.mark.parametrize("said", ["", "unknown", "_hidden", "203.0.113.256", "2001:db8::/32", "x" * 60_000, "1" * 64])
def test_clients_whose_proxy_names_no_address_are_one(said: str):
    assert client_address({"client": (said, 0)}) == "unknown"
