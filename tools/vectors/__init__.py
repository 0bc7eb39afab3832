"""Writes ``specs/<api>/vectors/*.json``.

Those files are the product; this is their source, because most cases have to be signed, hashed or cut out of a right
one. What is signed here is signed with the bare primitives of cryptography, coincurve and hashlib, not with
``conformance.standards``, which the vectors are to judge.

To add a case: put it into the module of its topic, then ``python -m tools.vectors``, and commit both. Say what the
source says, not what our modules do. Name a rule of the catalogue where one fits: basis and source are then the rule's
own. Without one, give both. The id is made of the topic, the title and the hash of the input (see
`conformance.vectors.cases.identify`), so a case whose input changes is another case.
``python -m tools.vectors --check`` fails if a file is not what this makes; ``tests/test_vectors.py`` runs it.

Keys are made up: each private key is the hash of a text that names it, so that nobody takes one for a secret.
"""
