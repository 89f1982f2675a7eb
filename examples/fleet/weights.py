"""The weights of days: the last day has the largest weight, and each earlier day half the weight of the next one."""

import datetime


def weights(last, days):
    """Returns pairs of a day, as in the names of folders, and its weight. The first of the days has weight 1."""
    last = datetime.date.fromisoformat(last)
    return [
        ((last - datetime.timedelta(days=age)).isoformat(), 1 << (days - 1 - age))
        for age in range(days)
    ]
