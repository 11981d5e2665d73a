import SalvorImage
import SystemPackage

/// The machine that was measured on: without it the figures say nothing.
package struct HostDescription {
    private let parts: [String]

    /// - Parameter more: what else matters, such as versions of other programs.
    package init(_ more: [String] = []) throws {
        let lines = String(decoding: try Posix.read("/proc/cpuinfo"), as: UTF8.self).split(separator: "\n")
        let models = lines.filter { $0.hasPrefix("model name") }
        let cpu = models.first.map { String($0.drop { $0 != ":" }.dropFirst(2)) } ?? "unknown CPU"
        parts =
            [cpu, "\(models.count) cores", "Linux \(try Self.firstLine("/proc/sys/kernel/osrelease"))"] + more
            + ["load at the start \(Self.load)"]
    }

    /// Of the last minute: what else runs stretches every time that is measured.
    package static var load: String {
        (try? firstLine("/proc/loadavg")).flatMap { $0.split(separator: " ").first }.map(String.init) ?? "?"
    }

    package var text: String { parts.joined(separator: ", ") }

    private static func firstLine(_ path: FilePath) throws -> String {
        String(String(decoding: try Posix.read(path), as: UTF8.self).prefix { $0 != "\n" })
    }
}
