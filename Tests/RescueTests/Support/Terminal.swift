import Fixtures
import Glibc
import SystemPackage

/// A terminal of the test's own, at which it types.
final class Terminal: Sendable {
    /// Whoever opens a terminal is not to be governed by it.
    static let noControl = FileDescriptor.OpenOptions(rawValue: O_NOCTTY)
    /// <asm-generic/ioctls.h>: lock or unlock the other side, and its number.
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    private let master: FileDescriptor
    /// What the program opens.
    let path: FilePath

    init() throws {
        master = try FileDescriptor.open("/dev/ptmx", .readWrite, options: [Self.noControl, .closeOnExec])
        var lock: Int32 = 0
        var number: Int32 = 0
        guard ioctl(master.rawValue, Self.setLock, &lock) == 0, ioctl(master.rawValue, Self.getNumber, &number) == 0
        else { throw FixtureError("there is no pseudo terminal to be had: \(Errno(rawValue: errno))") }
        path = FilePath("/dev/pts/\(number)")
    }

    deinit { try? master.close() }

    func type(_ line: String) throws { try master.writeAll(Array("\(line)\n".utf8)) }
}
