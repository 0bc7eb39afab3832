"""The rules for clients of Planbok, judged on the requests that a client sends and on the whole of its traffic.

What a request shows, by itself and by what came before it, is judged by `ClientJudge`. What only the whole of a
client's traffic shows is judged by `journal_findings`. Whether a client comes to the same wallets in whatever order
events arrive is seen in no traffic: what it has stored would have to be read.
"""

from conformance.planbok.client_checks.judge import ClientJudge
from conformance.planbok.client_checks.traffic import journal_findings

__all__ = ["ClientJudge", "journal_findings"]
