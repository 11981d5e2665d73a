/// A guest of 512 bytes, put together from instructions: it starts in a quarter of a second even where every
/// instruction is translated.
public struct BootSector: Sendable {
    private var code: [UInt8] = []

    public init() {}

    /// Prints on the first serial port: `mov dx, 0x3F8`, then `mov al, byte; out dx, al` for each.
    public func printing(_ text: String) -> BootSector {
        adding([0xBA, 0xF8, 0x03] + text.utf8.flatMap { [0xB0, $0, 0xEE] })
    }

    /// Sleeps for ever: `hlt; jmp` back.
    public func halting() -> BootSector { adding([0xF4, 0xEB, 0xFD]) }

    /// Pulls the processor's reset line through the keyboard controller: `mov al, 0xFE; out 0x64, al`.
    public func restarting() -> BootSector { adding([0xB0, 0xFE, 0xE6, 0x64]).halting() }

    /// Powers off through the chipset of a q35 machine: `mov dx, 0x604; mov ax, 0x2000; out dx, ax`.
    public func poweringOff() -> BootSector { adding([0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF]).halting() }

    /// Waits for the power button: enables it (port 0x602, bit 8), then reads its status (port 0x600, bit 8) until set.
    public func awaitingPowerButton() -> BootSector {
        adding([0xBA, 0x02, 0x06, 0xB8, 0x00, 0x01, 0xEF])
            .adding([0xBA, 0x00, 0x06, 0xED, 0xF6, 0xC4, 0x01, 0x74, 0xF7])
    }

    private func adding(_ bytes: [UInt8]) -> BootSector {
        var copy = self
        copy.code += bytes
        return copy
    }

    /// A disk of 1 MiB that starts this guest: SeaBIOS wants at least one cylinder.
    public var disk: [UInt8] {
        precondition(code.count <= 510, "a boot sector holds 510 bytes of code")
        let padding = [UInt8](repeating: 0, count: 510 - code.count)
        return code + padding + [0x55, 0xAA] + [UInt8](repeating: 0, count: (1 << 20) - 512)
    }
}

extension BootSector {
    /// The same code as the smallest thing that QEMU's direct boot takes for a Linux kernel: a boot sector with the
    /// kernel's header (Documentation/x86/boot.rst, protocol 2.00), one sector of setup code and an empty payload.
    public var kernel: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 2048)
        bytes[0x1F1] = 1  // sectors of setup code
        bytes.replaceSubrange(0x1FE..<0x200, with: [0x55, 0xAA])
        bytes.replaceSubrange(0x200..<0x202, with: [0xEB, 0x3E])  // jmp 0x240, over the header
        bytes.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
        bytes.replaceSubrange(0x206..<0x208, with: [0x00, 0x02])  // protocol 2.00
        bytes[0x211] = 1  // loaded high
        let code = Array(disk[..<0x1C0])
        bytes.replaceSubrange(0x240..<(0x240 + code.count), with: code)
        return bytes
    }
}
