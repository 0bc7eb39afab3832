"""Circumstances that make no difference by the documents, and under which a scenario must therefore hold too.

A **factor** is one kind of circumstance, such as the time of day at which a scenario begins. It has **levels**. A
scenario knows nothing of them: the world, the client and the steps are changed around it.
"""
