package import SystemPackage

/// The folder of one running machine: everything by which it is found again after a crash of whoever started it.
package struct MachineFolder: Hashable, Sendable {
    static let pidName = "qemu.pid"
    static let monitorName = "qmp.sock"
    static let consoleName = "console.log"
    static let errorsName = "qemu.log"
    static let variablesName = "uefi-variables.fd"
    static let identityName = "uuid"

    package let path: FilePath

    package init(_ path: FilePath) { self.path = path }

    /// Number of the QEMU process; QEMU writes it before it opens the control socket.
    var pidFile: FilePath { path.appending(Self.pidName) }
    var monitor: FilePath { path.appending(Self.monitorName) }
    /// What the guest printed on its serial port.
    package var console: FilePath { path.appending(Self.consoleName) }
    /// What QEMU itself printed.
    package var errors: FilePath { path.appending(Self.errorsName) }
    var variables: FilePath { path.appending(Self.variablesName) }
    /// The machine's UUID. Written before QEMU is started, so that there is never a process without it.
    var identityFile: FilePath { path.appending(Self.identityName) }

    /// The identity on record; nil when no machine was ever started here.
    func identity() -> String? {
        guard let bytes = try? PosixFile.read(identityFile, limit: 64) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return Self.isUUID(text) ? text : nil
    }

    static func isUUID(_ text: String) -> Bool {
        text.utf8.count == 36
            && text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || Character(UnicodeScalar($0)).isHexDigit }
    }

    static func newUUID() -> String {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
    }

    /// The last words of QEMU, for an error message.
    func lastErrors() -> String {
        let lines = String(decoding: PosixFile.tail(errors, limit: 2048), as: UTF8.self)
            .split(separator: "\n").suffix(4)
        return lines.joined(separator: " | ")
    }
}
