"""The system calls that a submission may not make, as a filter that bubblewrap loads.

Mounts, namespaces and Landlock hold the rest; here stands what they do not see: other processes'
memory, limits and priorities, memory that is shared or outlives its owner, the network, and the kernel's rarer doors.
"""

import errno
import functools
import os
from typing import Any

_REFUSED = """
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp
    add_key request_key keyctl
    shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl
    mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    unshare setns mount umount umount2 pivot_root chroot
    open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr name_to_handle_at open_by_handle_at
    setpriority ioprio_set sched_setaffinity sched_setscheduler sched_setparam sched_setattr
    set_mempolicy set_mempolicy_home_node mbind migrate_pages move_pages
    bpf perf_event_open userfaultfd fanotify_init fanotify_mark lookup_dcookie
    init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff
    acct quotactl quotactl_fd syslog vhangup nfsservctl iopl ioperm modify_ldt
    settimeofday clock_settime clock_adjtime adjtimex stime sethostname setdomainname personality
    mknod mknodat
    vmsplice
"""
# Calls that programs do without when they are told that there is no such thing.
_UNKNOWN = "clone3 io_uring_setup io_uring_enter io_uring_register memfd_create memfd_secret"
_FIRST_NEW, _LAST_NEW = 463, 511  # newer than this list (setxattrat is 463): unknown until somebody has looked at them
# A mark on the scratch folder itself would outlive the wipe.
_UNSUPPORTED = "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00000080)
_SOCKET_FAMILIES = range(2, 64)  # all but AF_UNIX: not even the loopback device
# Memory that belongs to no process and is counted by nobody: it stays when the mapping is gone, as long as a page of it
# is mapped, and a socket holds what was sent and not read. (A pipe holds pages of ``vmsplice``, but little else.)
_SHARED_AND_NAMELESS = 0x01 | 0x20  # MAP_SHARED, MAP_ANONYMOUS
_SOL_SOCKET, _BUFFER_SIZES = 1, (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF and the two that force it
_TERMINAL_INPUT, _CONSOLE = 0x5412, 0x541C  # TIOCSTI, TIOCLINUX: type into somebody's terminal


@functools.cache
def program() -> bytes:
    """The filter as bytes for the kernel of this machine. Raises what a missing library raises."""
    import pyseccomp as sc  # type: ignore[import-untyped]

    rules = sc.SyscallFilter(sc.ALLOW)
    refuse = sc.ERRNO(errno.EPERM)

    def add(action: int, call: str | int, *arguments: Any) -> None:
        number = sc.resolve_syscall(sc.Arch.NATIVE, call) if isinstance(call, str) else call
        if number >= 0:  # a name that this machine's library or processor does not know is negative
            rules.add_rule(action, number, *arguments)

    for name in _REFUSED.split():
        add(refuse, name)
    for name in _UNKNOWN.split():
        add(sc.ERRNO(errno.ENOSYS), name)
    for number in range(_FIRST_NEW, _LAST_NEW + 1):
        add(sc.ERRNO(errno.ENOSYS), number)
    for name in _UNSUPPORTED.split():
        add(sc.ERRNO(errno.EOPNOTSUPP), name)
    for flag in _NAMESPACES[:-1]:  # the last, time, is no flag of clone: there the bits are the signal
        add(refuse, "clone", sc.Arg(0, sc.MASKED_EQ, flag, flag))
    for family in _SOCKET_FAMILIES:
        for call in ("socket", "socketpair"):
            add(sc.ERRNO(errno.EACCES), call, sc.Arg(0, sc.EQ, family))
    add(refuse, "mmap", sc.Arg(3, sc.MASKED_EQ, _SHARED_AND_NAMELESS, _SHARED_AND_NAMELESS))
    for option in _BUFFER_SIZES:
        add(refuse, "setsockopt", sc.Arg(1, sc.EQ, _SOL_SOCKET), sc.Arg(2, sc.EQ, option))
    add(refuse, "prlimit64", sc.Arg(0, sc.NE, 0))
    for request in (_TERMINAL_INPUT, _CONSOLE):
        add(refuse, "ioctl", sc.Arg(1, sc.MASKED_EQ, 0xFFFFFFFF, request))
    descriptor = os.memfd_create("seccomp")
    with open(descriptor, "w+b") as file:  # noqa: PTH123 - a descriptor
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
