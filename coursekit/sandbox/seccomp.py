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
_FIRST_NEW, _LAST_NEW = 463, 511  # newer than this list (setxattrat is 463): unknown until somebody has looked at them
# A mark on the scratch folder itself would outlive the wipe.
_UNSUPPORTED = "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00000080)
_SOCKET_FAMILIES = range(2, 64)  # all but AF_UNIX: not even the loopback device
# Memory that belongs to no process and is counted by nobody: it stays when the mapping is gone, as long as a page of it
# is mapped, and a socket holds what was sent and not read. (A pipe holds pages of ``vmsplice``, but little else.)
_SHARED_AND_NAMELESS = 0x01 | 0x20  # MAP_SHARED, MAP_ANONYMOUS
_SOL_SOCKET, _BUFFER_SIZES = 1, (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF and the two that force it
_SOCKET_COUNTERS = (57, 71)  # SO_COOKIE, SO_NETNS_COOKIE: numbers that the kernel counts up for everybody
_TERMINAL_INPUT, _CONSOLE = 0x5412, 0x541C  # TIOCSTI, TIOCLINUX: type into somebody's terminal
# Second bytes of an ioctl: attributes and versions of inodes, ext4, XFS, btrfs, clones of ranges, block devices.
_INODES_AND_DISKS = (0x66, 0x76, 0x58, 0x94, 0x12)
_INT = 0xFFFFFFFF  # the kernel looks at no more than these bits of such an argument
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
    for flag in _NAMESPACES[:-1]:  # the last, time, is no flag of clone: there the bits are the signal
        add(refuse, "clone", sc.Arg(0, sc.MASKED_EQ, flag, flag))
    for family in _SOCKET_FAMILIES:
        for call in ("socket", "socketpair"):
            add(sc.ERRNO(errno.EACCES), call, sc.Arg(0, sc.EQ, family))
    add(refuse, "mmap", sc.Arg(3, sc.MASKED_EQ, _SHARED_AND_NAMELESS, _SHARED_AND_NAMELESS))
    for option in _BUFFER_SIZES:
        add(refuse, "setsockopt", sc.Arg(1, sc.EQ, _SOL_SOCKET), sc.Arg(2, sc.EQ, option))
    add(refuse, "prlimit64", sc.Arg(0, sc.NE, 0))
    for option in _SOCKET_COUNTERS:
        add(refuse, "getsockopt", sc.Arg(1, sc.EQ, _SOL_SOCKET), sc.Arg(2, sc.EQ, option))
    for request in (_TERMINAL_INPUT, _CONSOLE):
        add(refuse, "ioctl", sc.Arg(1, sc.MASKED_EQ, _INT, request))
    for kind in _INODES_AND_DISKS:
        add(refuse, "ioctl", sc.Arg(1, sc.MASKED_EQ, 0xFF00, kind << 8))
    direct = sc.ERRNO(errno.EINVAL)  # what a file system says that cannot pass the cache by
    for call, position in (("open", 1), ("openat", 2)):
        add(direct, call, sc.Arg(position, sc.MASKED_EQ, os.O_DIRECT, os.O_DIRECT))
    set_flags = sc.Arg(1, sc.MASKED_EQ, _INT, _SET_FLAGS)
    add(direct, "fcntl", set_flags, sc.Arg(2, sc.MASKED_EQ, os.O_DIRECT, os.O_DIRECT))
    for command in _FILE_COMMANDS:
        add(direct, "fcntl", sc.Arg(1, sc.MASKED_EQ, _INT, command))
    for call in ("preadv2", "pwritev2"):
        add(sc.ERRNO(errno.EOPNOTSUPP), call, sc.Arg(5, sc.NE, 0))
    for advice in _ADVICE:
        add(direct, "madvise", sc.Arg(2, sc.MASKED_EQ, _INT, advice))
    add(direct, "madvise", sc.Arg(2, sc.GT, _LAST_ADVICE))
    descriptor = os.memfd_create("seccomp")
    with open(descriptor, "w+b") as file:  # noqa: PTH123 - a descriptor
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
