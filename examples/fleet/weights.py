"""The days that are added up, their weights, and the arguments of the two programs that add them up."""

import argparse
import datetime
import pathlib
import sys


def arguments(description):
    """Reads FOLDER, LAST, DAYS and OUTPUT from the command line. Prints what is wrong, and ends, if they are wrong."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("last", metavar="LAST", type=day)
    parser.add_argument("days", metavar="DAYS", type=number_of_days)
    parser.add_argument("output", metavar="OUTPUT")
    return parser.parse_args()


def day(text):
    """Returns the date of a day that is written as in the names of folders."""
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        date = None
    if date is None or date.isoformat() != text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-29")
    return date


def number_of_days(text):
    """Returns a number of days. The weights of 32 days leave 31 bits of a signed sum for counts."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to 32")
    return int(text)


def weights(last, days):
    """Returns pairs of a day, as in the names of folders, and its weight. The first of the days has weight 1, and each
    later day twice the weight of the day before."""
    return [
        ((last - datetime.timedelta(days=age)).isoformat(), 1 << (days - 1 - age))
        for age in range(days)
    ]


def nothing_found(folder, last, days):
    """Ends the program, because none of the days has traces."""
    first = weights(last, days)[-1][0]
    names = f"day={last}" if days == 1 else f"day={first} to day={last}"
    fail(f"no traces found: {folder} has no .parquet file with rows in {names}")


def fail(message):
    """Ends the program with a message."""
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: error: {message}")
