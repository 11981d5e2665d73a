internal import SalvorMessages

/// What Scan saw, held against what is there now.
struct ExpectedFindings: Sendable {
    let findings: [Salvor_V1_Finding]

    /// Volumes with something to delete or to write, in order.
    var volumesToChange: [UInt32] {
        Set(
            findings.filter { $0.action == .quarantineAndDelete || $0.action == .quarantineAndWrite }.map(
                \.volumeNumber)
        )
        .sorted()
    }

    /// Volumes with something to copy and nothing to change, in order.
    var volumesToRead: [UInt32] {
        Set(findings.filter { $0.action == .collect }.map(\.volumeNumber)).subtracting(volumesToChange).sorted()
    }

    /// - Throws: ``AgentError/Code/drift`` when a file is not what Scan saw (path, size, SHA-256, what is to be done), is
    ///   gone, or is to go without having been seen.
    func compare(with found: [Salvor_V1_Finding], onVolume number: UInt32) throws(AgentError) {
        let expected = Dictionary(grouping: findings.filter { $0.volumeNumber == number }, by: \.path)
        for (path, entries) in expected where entries.count > 1 {
            throw AgentError(
                .invalidRequest,
                "The request expects \(windowsPath(path)) \(entries.count) times. Nothing was changed.",
                next: "Send the findings as Scan gave them.")
        }
        var rest = expected.compactMapValues(\.first)
        for finding in found {
            guard let known = rest.removeValue(forKey: finding.path) else {
                // A caller may send only the findings to act on; what is kept anyway is no surprise.
                if finding.action == .keep { continue }
                throw drift(finding.path, "was not there")
            }
            guard known.sizeBytes == finding.sizeBytes, known.sha256 == finding.sha256 else {
                throw drift(finding.path, "had another content")
            }
            guard known.action == finding.action, known.ruleID == finding.ruleID else {
                throw drift(finding.path, "was judged otherwise")
            }
            guard known.resultSha256 == finding.resultSha256 else {
                throw drift(finding.path, "was to become something else")
            }
        }
        if let path = rest.keys.min(by: { $0.lexicographicallyPrecedes($1) }) {
            throw drift(path, "was there, and is gone")
        }
    }

    private func drift(_ path: [String], _ how: String) -> AgentError {
        AgentError(
            .drift, "When the disk was scanned, \(windowsPath(path)) \(how). Nothing was changed.",
            next: "See what else uses the disk or the recipe, scan again, and apply what that scan finds.")
    }
}
