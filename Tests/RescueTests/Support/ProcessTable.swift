import Fixtures
import Glibc
import SalvorImage
import Subprocess
import SystemPackage

/// The processes of this machine, as /proc shows them.
enum ProcessTable {
    struct Entry: Sendable, CustomStringConvertible {
        var pid: Int32
        var commandLine: [String]

        /// The program's name without its folder.
        var program: String { commandLine.first.map { String($0.split(separator: "/").last ?? "") } ?? "" }
        var description: String { "\(pid): \(commandLine.joined(separator: " "))" }
    }

    /// Those whose command line or environment speaks of `folder`.
    static func entries(naming folder: FilePath) -> [Entry] {
        let needle = folder.string
        let names = (try? Posix.names(in: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { $0 != getpid() }.compactMap { pid in
            // One that has ended and is not yet waited for has no command line.
            guard let words = strings(FilePath("/proc/\(pid)/cmdline")), !words.isEmpty else { return nil }
            let variables = strings(FilePath("/proc/\(pid)/environ")) ?? []
            guard (words + variables).contains(where: { $0.contains(needle) }) else { return nil }
            return Entry(pid: pid, commandLine: words)
        }
    }

    static func send(_ signal: Signal, to pid: Int32) throws {
        guard kill(pid, signal.rawValue) == 0 else {
            throw FixtureError("process \(pid) could not be sent \(signal): \(Errno(rawValue: errno))")
        }
    }

    private static func strings(_ path: FilePath) -> [String]? {
        guard let bytes = try? Posix.read(path) else { return nil }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension Lab {
    /// The QEMUs of this lab.
    var rescueHosts: [ProcessTable.Entry] {
        ProcessTable.entries(naming: folder).filter { $0.program.hasPrefix("qemu-system") }
    }
}
