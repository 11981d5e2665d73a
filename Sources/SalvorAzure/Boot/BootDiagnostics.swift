import Glibc
import SalvorJSON
import SalvorSystem
import SystemPackage

/// The last screen and the serial console of a machine, from Azure's boot diagnostics.
struct BootDiagnostics: Sendable {
    let id: ResourceID
    let arm: ARMClient
    let transport: any HTTPTransport

    struct Saved: Sendable {
        var consoleLog: FilePath?
        var screenshot: FilePath?
        /// What could not be had, and where the screen is: for the report.
        var remarks: [String] = []
    }

    /// Saves the console's log at that path, and the screen beside it. Fails at nothing: what cannot be had is said.
    func save(beside path: FilePath) async -> Saved {
        var saved = Saved()
        do throws(AzureError) {
            let data = try await arm.within(.seconds(120)).post(
                "\(id)/retrieveBootDiagnosticsData", .compute, query: ["sasUriExpirationTimeInMinutes": "10"],
                changes: false)
            if let address = data?["serialConsoleLogBlobUri"]?.string {
                try await fetch(address, to: path)
                saved.consoleLog = path
            }
            if let address = data?["consoleScreenshotBlobUri"]?.string {
                let bytes = try await fetch(address)
                let file = path.removingLastComponent().appending(
                    "\(path.stem ?? "console")-screen.\(Self.kind(bytes))")
                try await write(bytes, to: file)
                saved.screenshot = file
                saved.remarks.append("screen: \(file)")
            }
        } catch {
            saved.remarks.append("boot diagnostics could not be had: \(error.message)")
        }
        return saved
    }

    private func fetch(_ address: String, to path: FilePath) async throws(AzureError) {
        try await write(try await fetch(address), to: path)
    }

    /// The address is signed: it goes into no message.
    private func fetch(_ address: String) async throws(AzureError) -> [UInt8] {
        let answer = try await transport.send(HTTPRequest("GET", address, timeout: .seconds(60)))
        guard answer.status == 200 else {
            throw AzureError(
                .failed, "Azure Storage answered \(answer.status) to a request for boot diagnostics.",
                nextStep: "Look at the machine's boot diagnostics in the portal.")
        }
        return answer.body
    }

    private func write(_ bytes: [UInt8], to path: FilePath) async throws(AzureError) {
        do {
            try await Blocking.run { () throws in
                let folder = path.removingLastComponent()
                if mkdir(folder.string, 0o700) != 0, errno != EEXIST { throw Errno(rawValue: errno) }
                let file = try FileDescriptor.open(
                    path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
                try file.closeAfter { _ = try file.writeAll(bytes) }
            }
        } catch {
            throw AzureError(
                .failed, "\(path) cannot be written.", nextStep: "Make room there, or allow it.", cause: error)
        }
    }

    /// Azure gives a bitmap.
    private static func kind(_ bytes: [UInt8]) -> String {
        if bytes.starts(with: [0x42, 0x4D]) { return "bmp" }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return "png" }
        return "image"
    }
}
