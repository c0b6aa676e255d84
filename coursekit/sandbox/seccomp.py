"""Seccomp filters: the system calls that a submission may not make.

They cover what mounts, namespaces and Landlock do not: memory, limits and priorities of other processes, memory that is
shared or outlives its owner, the network, rarely used interfaces of the kernel, and all calls that read or write kernel
state that two submissions share, such as which pages of a file are cached.
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
    fadvise64 fadvise64_64 arm_fadvise64_64 readahead mincore
"""
# For these calls programs have a fallback if the kernel does not know them. The effects of those in the last two lines
# are visible outside, or in another sandbox at the same time: file locks, who opens a file, writing to the disk.
_UNKNOWN = """
    clone3 io_uring_setup io_uring_enter io_uring_register memfd_create memfd_secret
    io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents openat2
    flock inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
    sync syncfs sync_file_range sync_file_range2
"""
_CACHESTAT = 451  # these numbers are the same on every processor; older libraries do not know the names
_STATMOUNT, _LISTMOUNT = 457, 458  # return the host paths of the sandbox's folders
_LSM_CALLS = (459, 460, 461)
_LANDLOCK_CALLS = (444, 445, 446)
_SET_SECCOMP = 22  # of prctl
_FIRST_NEW, _LAST_NEW = 463, 511  # newer than this list (setxattrat is 463): refused until they are reviewed
# An extended attribute of the scratch folder itself would survive the clean-up.
_UNSUPPORTED = "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_WITH_PIDFD = 0x1000
_LOCAL = 1  # AF_UNIX, the only allowed socket family: not even the loopback device can be used
# Memory that is charged to no process: shared anonymous memory exists as long as one page of it is mapped, and a socket
# buffers what was sent and not read. (A pipe holds pages of ``vmsplice``, but little else.)
_SHARED_AND_NAMELESS = 0x01 | 0x20  # MAP_SHARED, MAP_ANONYMOUS
_SOL_SOCKET, _BUFFER_SIZES = 1, (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF and the two that force it
_SOCKET_COUNTERS = (57, 71)  # SO_COOKIE, SO_NETNS_COOKIE: counters of the whole kernel
_TERMINAL_INPUT, _CONSOLE = 0x5412, 0x541C  # TIOCSTI, TIOCLINUX: insert input into a terminal
# Second bytes of an ioctl: attributes and versions of inodes, ext4, XFS, btrfs, clones of ranges, block devices.
_INODES_AND_DISKS = (0x66, 0x76, 0x58, 0x94, 0x12)
_INT = 0xFFFFFFFF  # the kernel reads only these bits of an int argument and ignores the higher ones
_NEGATIVE = 0x80000000
_SET_FLAGS = 4  # F_SETFL
# F_SETLEASE, F_GETLEASE, F_NOTIFY; locks of an open file (F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW); hints of an inode
# (F_GET_RW_HINT and the three after it), which the kernel keeps for every process that opens the same file.
_FILE_COMMANDS = (1024, 1025, 1026, 36, 37, 38, 1035, 1036, 1037, 1038)
# Of madvise: read ahead or not (1 to 3), REMOVE, MERGEABLE and back, COLD, PAGEOUT, POPULATE_READ and _WRITE, COLLAPSE,
# HWPOISON, SOFT_OFFLINE. What allocators ask for is allowed: DONTNEED, FREE, HUGEPAGE, DONTFORK, DONTDUMP, guards.
_ADVICE, _LAST_ADVICE = (1, 2, 3, 9, 12, 13, 20, 21, 22, 23, 25, 100, 101), 103


@functools.cache
def sandbox_filter() -> bytes:
    """The filter of a sandbox, compiled for this kernel. Raises what a missing library raises."""
    import pyseccomp as sc  # type: ignore[import-untyped]

    rules = sc.SyscallFilter(sc.ALLOW)
    refuse = sc.ERRNO(errno.EPERM)

    def add(action: int, call: str | int, *arguments: Any) -> None:
        number = sc.resolve_syscall(sc.Arch.NATIVE, call) if isinstance(call, str) else call
        if number >= 0:  # negative: the library or the processor does not know this call
            rules.add_rule(action, number, *arguments)

    for name in _REFUSED.split():
        add(refuse, name)
    for name in _UNKNOWN.split():
        add(sc.ERRNO(errno.ENOSYS), name)
    for number in (_CACHESTAT, _STATMOUNT, _LISTMOUNT, *_LSM_CALLS, *range(_FIRST_NEW, _LAST_NEW + 1)):
        add(sc.ERRNO(errno.ENOSYS), number)
    for name in _UNSUPPORTED.split():
        add(sc.ERRNO(errno.EOPNOTSUPP), name)
    for flag in _NAMESPACES:
        add(refuse, "clone", sc.Arg(0, sc.MASKED_EQ, flag, flag))
    for call in ("socket", "socketpair"):
        add(sc.ERRNO(errno.EACCES), call, sc.Arg(0, sc.NE, _LOCAL))
    add(refuse, "mmap", sc.Arg(3, sc.MASKED_EQ, _SHARED_AND_NAMELESS, _SHARED_AND_NAMELESS))
    for option in _BUFFER_SIZES:
        add(refuse, "setsockopt", _is_int(1, _SOL_SOCKET), _is_int(2, option))
    add(refuse, "prlimit64", sc.Arg(0, sc.NE, 0))
    for option in _SOCKET_COUNTERS:
        add(refuse, "getsockopt", _is_int(1, _SOL_SOCKET), _is_int(2, option))
    for call in ("clock_gettime", "clock_getres", "clock_nanosleep"):  # clocks of other processes, the server's too
        add(sc.ERRNO(errno.EINVAL), call, sc.Arg(0, sc.MASKED_EQ, _NEGATIVE, _NEGATIVE))
    for request in (_TERMINAL_INPUT, _CONSOLE):
        add(refuse, "ioctl", _is_int(1, request))
    for kind in _INODES_AND_DISKS:
        add(refuse, "ioctl", sc.Arg(1, sc.MASKED_EQ, 0xFF00, kind << 8))
    invalid = sc.ERRNO(errno.EINVAL)  # as from a file system that cannot bypass the cache
    for call, position in (("open", 1), ("openat", 2)):
        add(invalid, call, sc.Arg(position, sc.MASKED_EQ, os.O_DIRECT, os.O_DIRECT))
    add(invalid, "fcntl", _is_int(1, _SET_FLAGS), sc.Arg(2, sc.MASKED_EQ, os.O_DIRECT, os.O_DIRECT))
    for command in _FILE_COMMANDS:
        add(invalid, "fcntl", _is_int(1, command))
    for call in ("preadv2", "pwritev2"):
        add(sc.ERRNO(errno.EOPNOTSUPP), call, sc.Arg(5, sc.NE, 0))
    for advice in _ADVICE:
        add(invalid, "madvise", _is_int(2, advice))
    add(invalid, "madvise", sc.Arg(2, sc.GT, _LAST_ADVICE))
    return _exported(rules)


@functools.cache
def child_filter() -> bytes:
    """A second filter: calls that a child no longer needs after it has restricted itself.

    Landlock rulesets and seccomp filters occupy kernel memory that is charged to no process. The inode numbers of
    pidfds are a counter of the whole kernel: they reveal how many pidfds were opened.
    """
    import pyseccomp as sc

    rules = sc.SyscallFilter(sc.ALLOW)
    for number in _LANDLOCK_CALLS:
        rules.add_rule(sc.ERRNO(errno.ENOSYS), number)
    rules.add_rule(sc.ERRNO(errno.ENOSYS), "pidfd_open")
    rules.add_rule(sc.ERRNO(errno.EPERM), "clone", sc.Arg(0, sc.MASKED_EQ, _WITH_PIDFD, _WITH_PIDFD))
    rules.add_rule(sc.ERRNO(errno.EPERM), "seccomp")
    rules.add_rule(sc.ERRNO(errno.EPERM), "prctl", _is_int(0, _SET_SECCOMP))
    return _exported(rules)


def _is_int(position: int, value: int) -> Any:
    """The condition that an int argument has this value."""
    import pyseccomp as sc

    return sc.Arg(position, sc.MASKED_EQ, _INT, value)


def _exported(rules: Any) -> bytes:
    descriptor = os.memfd_create("seccomp")
    with open(descriptor, "w+b") as file:  # noqa: PTH123 - a descriptor
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
