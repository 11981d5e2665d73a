import SalvorImage
import SystemPackage

/// The machine that was measured on: without it the figures say nothing.
struct HostDescription {
    var cpu: String
    var cores: Int
    var kernel: String
    var qemu: String
    var acceleration: String
    var loadAtStart: String

    init(usesKVM: Bool) async throws {
        let lines = String(decoding: try Posix.read("/proc/cpuinfo"), as: UTF8.self).split(separator: "\n")
        let models = lines.filter { $0.hasPrefix("model name") }
        cpu = models.first.map { String($0.drop { $0 != ":" }.dropFirst(2)) } ?? "unknown CPU"
        cores = models.count
        kernel = try Self.firstLine("/proc/sys/kernel/osrelease")
        let version = try await ToolRunner().output("qemu-system-x86_64", ["--version"])
        qemu = String(String(decoding: version, as: UTF8.self).prefix { $0 != "\n" })
        acceleration = usesKVM ? "KVM" : "TCG (translation; KVM does not work here)"
        loadAtStart = Self.load
    }

    /// Of the last minute: what else runs stretches every time that is measured.
    static var load: String {
        (try? firstLine("/proc/loadavg")).flatMap { $0.split(separator: " ").first }.map(String.init) ?? "?"
    }

    var text: String {
        "\(cpu), \(cores) cores, Linux \(kernel), \(qemu), \(acceleration); load at the start \(loadAtStart)"
    }

    private static func firstLine(_ path: FilePath) throws -> String {
        String(String(decoding: try Posix.read(path), as: UTF8.self).prefix { $0 != "\n" })
    }
}
