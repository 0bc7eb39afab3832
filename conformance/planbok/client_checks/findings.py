"""Makes the findings of the rules for clients of Planbok."""

from conformance.findings import Says

SAYS = Says("planbok.client.")
