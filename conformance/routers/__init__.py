"""What stands in for an API in the tests of a team, without a socket: routers of respx."""

from conformance.routers.sandbox_router import SandboxRouter

__all__ = ["SandboxRouter"]
