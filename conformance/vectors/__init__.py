"""Language-neutral cases, and programs that answer them."""

from enum import StrEnum


class Side(StrEnum):
    """What an adapter is asked."""

    ACCEPT = "accept"
    PRODUCE = "produce"
