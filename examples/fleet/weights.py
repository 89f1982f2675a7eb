"""The weights of days: today counts 64 times, and each day before half as often, for a week."""

import datetime

HALVINGS = 6


def weights(today):
    """Pairs of a day, as folders name it, and its weight."""
    last = datetime.date.fromisoformat(today)
    days = (last - datetime.timedelta(days=age) for age in range(HALVINGS + 1))
    return [(day.isoformat(), 1 << (HALVINGS - age)) for age, day in enumerate(days)]
