"""The rules for Planbok that exchanges and webhooks alone show: exchanges in, findings out.

There is one module for each topic of the rules. Whether a webhook is signed cannot be judged here, since that takes the
secret.
"""

from conformance.planbok.checks.journal import provider_findings

__all__ = ["provider_findings"]
