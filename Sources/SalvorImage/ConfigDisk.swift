package import SystemPackage

/// The small disk that tells a rescue VM who it is: a FAT file system on the whole disk, labelled ``label``.
///
/// The image's `/init` finds it by that label, mounts it read-only and hands `salvor-bootstrap` to the agent. It holds
/// the enrolment token, so that only its owner may read the file, and no secret passes through a command line or
/// another file on its way there.
package enum ConfigDisk {
    package static let label = "SALVORCFG"
    /// The bytes of a `salvor.v1.Bootstrap` message.
    package static let bootstrapName = "salvor-bootstrap"
    /// `ADDRESS/PREFIX [GATEWAY]` on one line; what `/init` gives the first network interface.
    package static let networkName = "network"
    /// If there is a file of this name, `/init` asks for an address by DHCP.
    package static let dhcpName = "dhcp"

    /// 1 MiB: FAT12, whose label lies where `/init` looks for it.
    private static let sizeBytes = 1 << 20

    package struct File: Sendable {
        package var name: String
        package var bytes: [UInt8]

        package init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// Makes the disk at `path`, which must not be there yet, with mode 0600.
    package static func make(
        at path: FilePath, files: [File], tools: ToolRunner = ToolRunner()
    ) async throws(ImageError) {
        let content = files.reduce(0) { $0 + $1.bytes.count }
        guard content <= sizeBytes - (1 << 16) else {
            throw ImageError(
                .inputOutput, "\(content) bytes do not fit on the config disk \(path)",
                nextStep: "Bootstrap data is small: check it")
        }
        try Posix.makePrivateFile(path, bytes: sizeBytes)
        do throws(ImageError) {
            try await tools.output(
                "mformat", ["-i", path.string, "-T", String(sizeBytes / 512), "-h", "2", "-s", "16", "-v", label, "::"])
            for file in files {
                // From standard input, so that no copy of a secret is left elsewhere.
                try await tools.output("mcopy", ["-i", path.string, "-", "::/\(file.name)"], input: file.bytes)
            }
        } catch {
            Posix.removeTree(path)
            throw error
        }
    }
}
