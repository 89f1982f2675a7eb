"""The weights of the days of a week: today has weight 64, and each earlier day half the weight of the next one."""

import datetime

HALVINGS = 6


def weights(today):
    """Returns pairs of a day, as in the names of folders, and its weight."""
    last = datetime.date.fromisoformat(today)
    days = (last - datetime.timedelta(days=age) for age in range(HALVINGS + 1))
    return [(day.isoformat(), 1 << (HALVINGS - age)) for age, day in enumerate(days)]
