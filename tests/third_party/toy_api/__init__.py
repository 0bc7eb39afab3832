"""An API of a third party, registered as ours is, whose scenarios end in every way that a scenario can."""

from pathlib import Path

from conformance.api import Api

api = Api(
    name="toy",
    title="Toy",
    package="toy_api",
    secrets=("password",),
    find=lambda relative: Path(__file__).parent / relative,
)
