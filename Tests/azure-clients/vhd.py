"""Fixed VHDs, as disks are uploaded."""

import struct

MIB = 1 << 20


def fixed_footer(size):
    """The last 512 bytes of a fixed VHD of `size` bytes."""
    footer = struct.pack(
        ">8sIIQI4sI4sQQIII", b"conectix", 2, 0x10000, 0xFFFFFFFFFFFFFFFF, 0, b"test", 0x10000, b"Wi2k", size, size, 0, 2, 0)
    footer = footer.ljust(512, b"\0")
    checksum = ~sum(footer) & 0xFFFFFFFF
    return footer[:64] + struct.pack(">I", checksum) + footer[68:]
