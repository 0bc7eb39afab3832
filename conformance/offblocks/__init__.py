"""OffBlocks: customers who prove that they own a wallet by signing a challenge."""

from conformance.api import Api

api = Api(
    name="offblocks",
    title="OffBlocks",
    package="conformance.offblocks",
    secrets=("apiKey", "apiSecret", "token"),
)
