internal import SalvorImage
internal import Subprocess
package import SystemPackage

/// An azure-emulator that runs as long as it is measured.
package struct RunningEmulator: Sendable {
    /// `https://localhost:PORT`.
    package let base: String
    package let subscription: String
    package let application: String
    package let tenant: String
    package let secretFile: FilePath
    package let authority: FilePath
    private let process: Int32

    /// - Parameter options: beside the state folder and the port.
    package static func with<Result: Sendable>(
        _ executable: FilePath, in scratch: FilePath, options: [String] = ["--throttling", "off"],
        _ body: @Sendable @escaping (RunningEmulator) async throws -> Result
    ) async throws -> Result {
        let arguments = [
            "--state", scratch.appending("state").string, "--port", "0",
        ]
        let outcome = try await run(
            .path(executable), arguments: Arguments(arguments + options), input: .none, output: .sequence,
            error: .discarded
        ) { execution in
            defer { try? execution.send(signal: .terminate) }
            var said: [String: String] = [:]
            for try await line in execution.standardOutput.strings() {
                let words = line.split(separator: " ").map(String.init)
                guard let name = words.first, let value = words.last else { continue }
                said[name] = value.filter { $0 != "\n" }
                if name == "authority" { break }
            }
            let process = execution.processIdentifier.value
            return try await body(try RunningEmulator(said, process: process))
        }
        return outcome.closureResult
    }

    private init(_ said: [String: String], process: Int32) throws {
        guard let base = said["azure-emulator"], let subscription = said["subscription"],
            let application = said["application"], let tenant = said["tenant"], let secret = said["secret"],
            let authority = said["authority"]
        else { throw BenchError("azure-emulator did not say where it listens") }
        self.base = base
        self.subscription = subscription
        self.application = application
        self.tenant = tenant
        secretFile = FilePath(secret)
        self.authority = FilePath(authority)
        self.process = process
    }

    package func secret() throws -> String { String(decoding: try Posix.read(secretFile), as: UTF8.self) }

    /// What it holds in memory, in MB of 1 000 000 bytes.
    package func residentMegabytes() throws -> Double {
        let status = String(decoding: try Posix.read(FilePath("/proc/\(process)/status")), as: UTF8.self)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kibibytes = Double(line.filter(\.isNumber))
        else { throw BenchError("the kernel does not say what azure-emulator weighs") }
        return kibibytes * 1024 / 1_000_000
    }
}
