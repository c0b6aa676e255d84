"""The system calls that a submission may not make, as a filter that bubblewrap loads.

Mounts, namespaces and Landlock hold the rest; here stands what they do not see: other processes'
memory, limits and priorities, memory that is shared or outlives its owner, the network, the kernel's rarer doors,
and whatever reads or writes a state of the kernel that two submissions share, such as which pages of a file are cached.
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
# Calls that programs do without when they are told that there is no such thing. The last two lines hold what is seen
# outside, or by another sandbox at the same time: locks of a file, whoever opens it, what is written to the disk.
_UNKNOWN = """
    clone3 io_uring_setup io_uring_enter io_uring_register memfd_create memfd_secret
    io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents openat2
    flock inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
    sync syncfs sync_file_range sync_file_range2
"""
_CACHESTAT = 451  # these have the same number on every processor, and names that older libraries do not know
_STATMOUNT, _LISTMOUNT = 457, 458  # tell where on this machine a folder of the sandbox lies
_LSM_CALLS = (459, 460, 461)
_LANDLOCK_CALLS = (444, 445, 446)
_SET_SECCOMP = 22  # of prctl
_FIRST_NEW, _LAST_NEW = 463, 511  # newer than this list (setxattrat is 463): unknown until somebody has looked at them
# A mark on the scratch folder itself would outlive the wipe.
_UNSUPPORTED = "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_WITH_PIDFD = 0x1000
_LOCAL = 1  # AF_UNIX: of all families of sockets the only one; not even the loopback device
# Memory that belongs to no process and is counted by nobody: it stays when the mapping is gone, as long as a page of it
# is mapped, and a socket holds what was sent and not read. (A pipe holds pages of ``vmsplice``, but little else.)
_SHARED_AND_NAMELESS = 0x01 | 0x20  # MAP_SHARED, MAP_ANONYMOUS
_SOL_SOCKET, _BUFFER_SIZES = 1, (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF and the two that force it
_SOCKET_COUNTERS = (57, 71)  # SO_COOKIE, SO_NETNS_COOKIE: numbers that the kernel counts up for everybody
_TERMINAL_INPUT, _CONSOLE = 0x5412, 0x541C  # TIOCSTI, TIOCLINUX: type into somebody's terminal
# Second bytes of an ioctl: attributes and versions of inodes, ext4, XFS, btrfs, clones of ranges, block devices.
_INODES_AND_DISKS = (0x66, 0x76, 0x58, 0x94, 0x12)
_INT = 0xFFFFFFFF  # of an int the kernel looks at no more than these bits, whatever a program puts above them
_NEGATIVE = 0x80000000
_SET_FLAGS = 4  # F_SETFL
# F_SETLEASE, F_GETLEASE, F_NOTIFY; locks of an open file (F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW); hints of an inode
# (F_GET_RW_HINT and the three behind it), which stay in the kernel for whoever opens the same file.
_FILE_COMMANDS = (1024, 1025, 1026, 36, 37, 38, 1035, 1036, 1037, 1038)
# Of madvise: read ahead or not (1 to 3), REMOVE, MERGEABLE and back, COLD, PAGEOUT, POPULATE_READ and _WRITE, COLLAPSE,
# HWPOISON, SOFT_OFFLINE. What allocators ask for is allowed: DONTNEED, FREE, HUGEPAGE, DONTFORK, DONTDUMP, guards.
_ADVICE, _LAST_ADVICE = (1, 2, 3, 9, 12, 13, 20, 21, 22, 23, 25, 100, 101), 103


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
    direct = sc.ERRNO(errno.EINVAL)  # what a file system says that cannot pass the cache by
    for call, position in (("open", 1), ("openat", 2)):
        add(direct, call, sc.Arg(position, sc.MASKED_EQ, os.O_DIRECT, os.O_DIRECT))
    add(direct, "fcntl", _is_int(1, _SET_FLAGS), sc.Arg(2, sc.MASKED_EQ, os.O_DIRECT, os.O_DIRECT))
    for command in _FILE_COMMANDS:
        add(direct, "fcntl", _is_int(1, command))
    for call in ("preadv2", "pwritev2"):
        add(sc.ERRNO(errno.EOPNOTSUPP), call, sc.Arg(5, sc.NE, 0))
    for advice in _ADVICE:
        add(direct, "madvise", _is_int(2, advice))
    add(direct, "madvise", sc.Arg(2, sc.GT, _LAST_ADVICE))
    return _exported(rules)


@functools.cache
def for_a_child() -> bytes:
    """A second filter, for what a child needs no more when its own walls stand.

    Rules of Landlock and filters lie in memory of the kernel that no process is said to use. The inodes of pidfds are
    numbered for the whole machine: they tell how many there were.
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
    """The condition that the kernel reads this number in an argument which is an int."""
    import pyseccomp as sc

    return sc.Arg(position, sc.MASKED_EQ, _INT, value)


def _exported(rules: Any) -> bytes:
    descriptor = os.memfd_create("seccomp")
    with open(descriptor, "w+b") as file:  # noqa: PTH123 - a descriptor
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
