internal import SalvorDigest

/// The records that `apt-cache show` prints: paragraphs of `Field: value` lines.
package struct PackageRecords: Sendable {
    /// The first record of each package.
    private var records: [String: [String: String]] = [:]

    package init(_ text: String) {
        var record: [String: String] = [:]
        let lines: [Substring] = text.split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines + [""] {
            if line.isEmpty {
                if let name = record["Package"], records[name] == nil { records[name] = record }
                record = [:]
            } else if let colon = line.firstIndex(of: ":"), line.first != " " {
                record[String(line[..<colon])] = String(line[line.index(after: colon)...].drop { $0 == " " })
            }
        }
    }

    /// - Returns: nil when there is no record, or none with all that a download needs.
    package func package(_ name: String) -> DebianPackage? {
        guard let record = records[name], let version = record["Version"], let architecture = record["Architecture"],
            let sha256 = record["SHA256"].flatMap({ Digest(hex: $0) })
        else { return nil }
        return DebianPackage(name: name, version: version, architecture: architecture, sha256: sha256)
    }

    /// The package that `name` depends on first, without its version and alternatives.
    package func firstDependency(of name: String) -> String? {
        records[name]?["Depends"]?.split { ", |(".contains($0) }.first.map(String.init)
    }
}
