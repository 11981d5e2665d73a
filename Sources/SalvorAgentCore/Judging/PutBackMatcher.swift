internal import FoundationEssentials
internal import SalvorDigest
internal import SalvorMessages
internal import SwiftProtobuf

/// Holds what a quarantine has against one mounted volume: what was deleted and is still missing can be made again, and
/// what was written over and still holds that can be written back. What has changed since then is somebody's work, and is
/// left. Blocking.
struct PutBackMatcher {
    static let rule = "put-back"

    let id: String
    let entries: [Salvor_V1_QuarantineEntry]
    let volumeNumber: UInt32
    let stop: StopSignal

    func match(_ resolver: inout PathResolver) throws(AgentError) -> [MatchedFile] {
        var matches: [MatchedFile] = []
        for (index, entry) in entries.enumerated()
        where entry.volumeNumber == volumeNumber && entry.action != .collect {
            try stop.check()
            var file = try judge(entry, &resolver)
            if file.isToWrite { file.content = .quarantine(id: id, index: index, entry: entry) }
            matches.append(file)
        }
        return matches
    }

    private func judge(
        _ entry: Salvor_V1_QuarantineEntry, _ resolver: inout PathResolver
    ) throws(AgentError) -> MatchedFile {
        var finding = Salvor_V1_Finding.with {
            $0.ruleID = Self.rule
            $0.volumeNumber = volumeNumber
            $0.path = entry.path
            $0.verdict = .unknown
            $0.action = .keep
        }
        guard let text = entry.path.last, let wanted = FileName(text),
            let folder = try resolver.resolve(Array(entry.path.dropLast()))
        else {
            finding.reason = "Its folder is no longer there."
            return MatchedFile(finding: finding, directory: [], name: .unknown, inode: nil)
        }
        guard let found = try resolver.resolve([text], below: folder), let name = found.last else {
            finding.verdict = .missing
            finding.reason = "It was deleted, and is put back with its times and attributes."
            finding.action = .quarantineAndWrite
            return MatchedFile(finding: finding, directory: folder, name: wanted, inode: nil)
        }
        guard case .file(let size, let inode) = try resolver.tree.kind(of: name, in: folder),
            size <= PreparedContent.largest
        else {
            finding.reason = "What has its name is no file that can be written over."
            return MatchedFile(finding: finding, directory: folder, name: name, inode: nil)
        }
        let facts = try RuleMatcher.facts(found, resolver.tree, stop)
        finding.sizeBytes = facts.sizeBytes
        finding.sha256 = .init(facts.digest.bytes)
        finding.times = facts.times
        if facts.digest.bytes.elementsEqual(entry.sha256) {
            finding.verdict = .corrected
            finding.reason = "It is there as it was."
        } else if facts.digest.bytes.elementsEqual(entry.resultSha256) {
            finding.verdict = .faulty
            finding.reason = "It holds what it was repaired to, and is put back as it was before."
            finding.action = .quarantineAndWrite
        } else {
            finding.reason = "It has changed since the repair, and is left as it is."
        }
        return MatchedFile(finding: finding, directory: folder, name: name, inode: inode)
    }
}
