"""Isolation of a submission. ``coursekit.sandbox.guest`` runs inside the sandbox, everything else outside.

client            a sandbox and its children, one child per submission
fork_server       the process from which children are forked; request and reply: one exchange with a child
bubblewrap        the sandbox's command line, with seccomp and launch
isolation         which layers this computer has; doctor tests each of them
limits, timeouts  resources, and time limits that CPU steal time extends
student_files     which files go in; host_cache: what one sandbox leaves to the next
"""
