from datetime import UTC

import clock


def test_the_clock_tells_utc():
    assert clock.now().tzinfo is UTC
