"""Planbok: custody wallets for a customer, each authorized with a PIN on a hosted page."""

from conformance.api import Api

api = Api(
    name="planbok",
    title="Planbok",
    package="conformance.planbok",
    secrets=("pin", "new_pin", "new_pin_again", "answer_1", "answer_2"),
    secret_headers=("PLANBOK-X-API-KEY",),
    webhook_set_by_hand=True,
)
