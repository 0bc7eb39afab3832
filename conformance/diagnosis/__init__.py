"""Which known mistake explains what was seen: data of one form, and the sentences that tell it.

Whatever judges a request, a challenge's signature, a webhook or a token asks here what went wrong with it, so that the
sandbox's refusals, the findings of the rules for clients and the command `conformance explain` say the same.
"""
