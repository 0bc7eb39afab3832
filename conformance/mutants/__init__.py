"""Code mutants: the sandbox's own source, changed by operators that know no rule, and what the suite says of each.

`operators` makes the changes, `mutants` says which there are. The suite is rehearsed on the sandbox as it is, and
`rehearsal` keeps what each test asked, was answered, and which lines it had executed. A *workshop* is a process that
has loaded all but the sandbox; it forks one that imports the changed source (`importing`) and asks the recorded
requests again, and where an answer differs runs those tests (`trial`). `table` grows by what comes of that.

Several modules here are imported in a forked process alone, since what they import is what is changed.
"""
