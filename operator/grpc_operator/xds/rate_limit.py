"""A token bucket, without a clock."""


class RateLimit:
    """Permits a burst, and a rate in the long run.

    Args:
        burst: How many at once.
        rate: How many a second.
    """

    def __init__(self, burst: int, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = float(burst)
        self._at: float | None = None

    def wait(self, now: float) -> float:
        """Counts one, and returns the seconds until the next one is permitted.

        Args:
            now: The time in seconds.
        """
        passed = now - self._at if self._at is not None else 0.0
        self._at = now
        self._left = min(self._burst, self._left + passed * self._rate) - 1
        return max(0.0, -self._left / self._rate)
