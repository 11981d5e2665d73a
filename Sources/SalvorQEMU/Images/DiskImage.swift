internal import SalvorJSON
import Subprocess
package import SystemPackage

/// Disk image files, by `qemu-img`.
package struct DiskImage: Sendable {
    /// What `qemu-img info` says about a file.
    package struct Info: Hashable, Sendable {
        package var format: String
        /// Size that a guest sees.
        package var virtualBytes: UInt64
        package var backingFile: String?
        package var corrupt: Bool
        /// VMware's `createType`.
        package var createType: String?
    }

    package var tools: QEMUTools

    package init(tools: QEMUTools = QEMUTools()) { self.tools = tools }

    /// Makes a qcow2 file that holds what differs from `backing`, which is opened for reading alone.
    /// - Throws: ``QEMUError/Code/imageFailed``; then no file is left.
    package func createOverlay(
        _ path: FilePath, backing: FilePath, backingFormat: MachineDisk.Format
    ) async throws(QEMUError) {
        // Lazy refcounts and a larger cluster would save metadata writes; neither shows at the few megabytes that a
        // repair writes, and a plain image is what every other tool reads.
        try await run([
            "create", "-q", "-f", "qcow2", "-F", backingFormat.driver, "-b", backing.string, path.string,
        ])
    }

    /// Copies a whole disk, sparse where it is, by reflink where the file system can.
    package func copy(
        _ source: FilePath, format: MachineDisk.Format, to path: FilePath
    ) async throws(QEMUError) {
        try await run([
            "convert", "-q", "-f", format.driver, "-O", format.driver, source.string, path.string,
        ])
    }

    /// Copies a file byte by byte, sparse where it is, by reflink where the file system can: so that footer, geometry and
    /// tables of a format stay what its owner's programs wrote.
    package func copyFile(_ source: FilePath, to path: FilePath) async throws(QEMUError) {
        let executable = try tools.find("cp", package: "coreutils")
        let result = try await result(
            ["--reflink=auto", "--sparse=auto", "--", source.string, path.string], by: executable)
        guard result.status.isSuccess else {
            throw QEMUError(.imageFailed, "\(source) could not be copied: \(result.errors)")
        }
    }

    /// Reads a file's header. `format` is not guessed: a guest could have written a header of another format into a raw
    /// disk, which would make a guess open any file that it names.
    package func info(_ path: FilePath, format: MachineDisk.Format) async throws(QEMUError) -> Info {
        let text = try await run(["info", "--output=json", "-U", "-f", format.driver, path.string])
        guard let value = try? JSONValue.parse(text.utf8), let size = value["virtual-size"]?.integer else {
            throw QEMUError(.imageFailed, "qemu-img info says nothing useful about \(path).")
        }
        return Info(
            format: value["format"]?.string ?? format.driver, virtualBytes: UInt64(clamping: size),
            backingFile: value["full-backing-filename"]?.string ?? value["backing-filename"]?.string,
            corrupt: value["format-specific"]?["data"]?["corrupt"]?.bool ?? false,
            createType: value["format-specific"]?["data"]?["create-type"]?.string)
    }

    /// Checks a file's own tables, changing nothing; does nothing for the formats that QEMU has no check for: raw and VHD.
    /// - Throws: ``QEMUError/Code/imageFailed`` when they are damaged. Leaked clusters, which only waste space, pass.
    package func check(_ path: FilePath, format: MachineDisk.Format = .qcow2) async throws(QEMUError) {
        let result = try await result(["check", "-q", "-U", "-f", format.driver, path.string])
        // 3 is leaked clusters alone, 63 a format without a check.
        guard [.exited(0), .exited(3), .exited(63)].contains(result.status) else {
            throw QEMUError(.imageFailed, "The \(format.rawValue) file \(path) is damaged: \(result.errors)")
        }
    }

    @discardableResult
    private func run(_ arguments: [String]) async throws(QEMUError) -> String {
        let result = try await result(arguments)
        guard result.status.isSuccess else {
            throw QEMUError(.imageFailed, "qemu-img \(arguments[0]) failed: \(result.errors)")
        }
        return result.output
    }

    private func result(
        _ arguments: [String], by program: FilePath? = nil
    ) async throws(QEMUError) -> (status: TerminationStatus, output: String, errors: String) {
        let executable: FilePath
        if let program { executable = program } else { executable = try tools.image() }
        do {
            let result = try await Subprocess.run(
                .path(executable), arguments: Arguments(arguments), input: .none, output: .string(limit: 1 << 20),
                error: .string(limit: 1 << 16))
            let lines = result.standardError.split(separator: "\n").prefix(4).joined(separator: " | ")
            return (result.terminationStatus, result.standardOutput, lines)
        } catch {
            throw QEMUError(.imageFailed, "\(executable) cannot be run.", cause: error)
        }
    }
}
