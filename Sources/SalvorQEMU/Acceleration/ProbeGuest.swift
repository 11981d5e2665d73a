/// The smallest guest that shows whether guests run: a boot sector that ends QEMU with a status of its own.
///
/// The firmware loads it, so that interrupts, timers and changes of the processor's mode have been seen to work by then.
package enum ProbeGuest {
    static let exitPort: UInt8 = 0xF4
    static let exitValue: UInt8 = 0x10
    /// QEMU's isa-debug-exit device makes this of the value.
    static let exitStatus: Int32 = Int32(exitValue) << 1 | 1

    /// 512 bytes: `mov al, value; out port, al; hlt; jmp` back to the halt.
    package static let bootSector: [UInt8] = {
        let code: [UInt8] = [0xB0, exitValue, 0xE6, exitPort, 0xF4, 0xEB, 0xFD]
        return code + [UInt8](repeating: 0, count: 510 - code.count) + [0x55, 0xAA]
    }()
}
