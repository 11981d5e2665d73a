package import SalvorDigest

/// One version of one Debian package, as apt's signed lists describe it.
package struct DebianPackage: Hashable, Sendable {
    package let name: String
    package let version: String
    package let architecture: String
    /// Of the package file.
    package let sha256: Digest

    package init(name: String, version: String, architecture: String, sha256: Digest) {
        self.name = name
        self.version = version
        self.architecture = architecture
        self.sha256 = sha256
    }

    /// The name that apt-get gives the file: a version's colon becomes `%3a`.
    package var fileName: String {
        let version = version.split(separator: ":", omittingEmptySubsequences: false).joined(separator: "%3a")
        return "\(name)_\(version)_\(architecture).deb"
    }

    /// The package on one line: name, version, architecture and SHA-256.
    package var line: String { "\(name) \(version) \(architecture) \(sha256.hex)" }

    /// - Returns: nil when `line` is not what ``line`` gives.
    package init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 4, let sha256 = Digest(hex: String(words[3])) else { return nil }
        self.init(
            name: String(words[0]), version: String(words[1]), architecture: String(words[2]), sha256: sha256)
    }
}
