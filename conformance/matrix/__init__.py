"""The kill matrix: which faults and mutations of the sandbox the suite catches, which variations it takes for one.

First the suite is *rehearsed* on the sandbox as it is, and what each test asked and was answered is recorded. A test
whose requests get the same answers and webhooks from the changed sandbox would do there what it did in the rehearsal,
so that what it found then stands; only the others are run again (`conformance.sandbox.recorder`).

`trials` says what there is to try, `observation` has tests run and says what they found, `judgement` decides what that
means, `filling` brings these together, entry by entry, and `form` is the file that comes of it. The work is done by
processes of this machine (`workers`) or by those of a cluster (`cluster`).
"""
