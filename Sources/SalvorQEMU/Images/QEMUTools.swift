import Glibc
package import SystemPackage

/// Where QEMU's programs are.
package struct QEMUTools: Hashable, Sendable {
    /// Folders that are searched, in order.
    package var searchPath: [String]

    package init(searchPath: [String]? = nil) {
        self.searchPath = searchPath ?? Self.environmentPath()
    }

    /// - Throws: ``QEMUError/Code/toolMissing``, naming Debian's package.
    package func system() throws(QEMUError) -> FilePath { try find("qemu-system-x86_64", package: "qemu-system-x86") }
    package func image() throws(QEMUError) -> FilePath { try find("qemu-img", package: "qemu-utils") }

    /// An executable by name.
    /// - Parameter package: Debian's package that holds it, for the message.
    package func find(_ name: String, package: String) throws(QEMUError) -> FilePath {
        for folder in searchPath {
            let path = FilePath(folder).appending(name)
            if path.withPlatformString({ access($0, X_OK) }) == 0 { return path }
        }
        throw QEMUError(
            .toolMissing,
            "\(name) is not installed (looked in \(searchPath.joined(separator: ":"))). "
                + "Install Debian's package \(package).")
    }

    private static func environmentPath() -> [String] {
        let text = getenv("PATH").map { String(cString: $0) } ?? ""
        let folders = text.split(separator: ":").map(String.init)
        return folders.isEmpty ? ["/usr/local/bin", "/usr/bin", "/bin"] : folders
    }
}
