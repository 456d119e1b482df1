"""System calls forbidden in the sandbox: a seccomp filter in classic BPF, as bubblewrap takes it.

Forbidden is what makes memory that belongs to no process (memory files, System V segments, mounts),
what reaches into other processes or the kernel, and what would undo the sandbox's own limits.
"""

from __future__ import annotations

import errno
import platform
import struct

__all__ = ["program"]

# name: (x86_64, aarch64)
FORBIDDEN = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "acct": (163, 89),
    "syslog": (103, 116),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "personality": (135, 92),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "memfd_secret": (447, 447),
}
MISSING = {"memfd_create": (319, 279), "clone3": (435, 435)}  # libraries do without these
CLONE, PRCTL, SOCKET = (56, 220), (157, 167), (41, 198)
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
FAMILIES = (
    1,
    2,
    10,
    16,
)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK; not AF_VSOCK, which leaves a virtual machine
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "arm64": 0xC00000B7}

LOAD, AND_JUMP, EQUAL, AT_LEAST, RETURN = 0x20, 0x45, 0x15, 0x35, 0x06
ALLOW, ERROR = 0x7FFF0000, 0x00050000
NUMBER, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data


def program(machine: str | None = None) -> bytes:
    """The filter for this machine, empty where its system calls' numbers are not known.

    Args:
        machine: as `platform.machine()`, which is the default.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        return b""
    column = 0 if machine == "x86_64" else 1
    refuse = (RETURN, 0, 0, ERROR | errno.EPERM)
    absent = (RETURN, 0, 0, ERROR | errno.ENOSYS)
    steps = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, MACHINES[machine]), refuse]
    steps += [(LOAD, 0, 0, NUMBER)]
    if column == 0:
        steps += [(AT_LEAST, 0, 1, 0x40000000), refuse]  # the x32 numbering
    for numbers in FORBIDDEN.values():
        steps += [(EQUAL, 0, 1, numbers[column]), refuse]
    for numbers in MISSING.values():
        steps += [(EQUAL, 0, 1, numbers[column]), absent]
    steps += [(EQUAL, 0, 4, CLONE[column]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    steps += [(AND_JUMP, 0, 1, NEW_NAMESPACES), refuse, (RETURN, 0, 0, ALLOW)]
    steps += [(EQUAL, 0, 5, PRCTL[column]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    steps += [(EQUAL, 1, 0, PR_SET_PDEATHSIG), (EQUAL, 0, 1, PR_SET_DUMPABLE), refuse]
    steps += [(RETURN, 0, 0, ALLOW)]
    steps += [(EQUAL, 0, 2 + len(FAMILIES), SOCKET[column]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    steps += [(EQUAL, len(FAMILIES) - place, 0, one) for place, one in enumerate(FAMILIES)]
    steps += [refuse, (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
