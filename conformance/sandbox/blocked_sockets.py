"""Sockets that somebody's pytest takes away: the cause, named."""

_CAUSES = {
    "A test tried to use socket.socket": (
        "pytest-socket blocks them (--disable-socket, disable_socket). Give --allow-hosts=127.0.0.1 besides, or mark "
        "the test with pytest.mark.enable_socket"
    ),
    "A test tried to use socket.socket.connect() with host": (
        "pytest-socket allows other hosts alone. Add 127.0.0.1 to its --allow-hosts"
    ),
    "Network is disabled for host": (
        "pytest-recording blocks them (--block-network, block_network). Give --allowed-hosts=127.0.0.1 besides"
    ),
}
"""What the blockers say, longer beginnings later, and what to do; none of them is among what this package needs."""


def cause_of(error: BaseException | None) -> str | None:
    """What took the sockets away, and what to do, in a sentence; None if `error` has another cause."""
    found = [cause for said, cause in _CAUSES.items() if str(error).startswith(said)]
    return f"The sandbox needs sockets on 127.0.0.1, and {found[-1]}." if found else None
