internal import SalvorDigest
internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// One volume while it is repaired.
struct VolumeRepair: Sendable {
    let volume: Salvor_V1_Volume
    /// What the file system is read and written through.
    let device: VolumeDevice
    /// Of the encryption's metadata, before anything was done; nil where there is none.
    let encryption: Digest?
    let mounted: MountedVolume
    /// false for a volume that is only read.
    let isChanged: Bool
    var matches: [MatchedFile] = []

    var toGo: [MatchedFile] { matches.filter(\.isToGo) }
    var toWrite: [MatchedFile] { matches.filter(\.isToWrite) }
    var taken: [MatchedFile] { matches.filter(\.isTaken) }
    var kept: [MatchedFile] { matches.filter { !$0.isToGo && !$0.isToWrite && !$0.isMissing } }

    /// Matches the recipe again, now that the volume is mounted to be changed.
    func match(_ matcher: VolumeMatcher, stop: StopSignal) async throws(AgentError) -> [MatchedFile] {
        try await mounted.files { (tree) throws(AgentError) in
            var resolver = PathResolver(tree)
            let root = try matcher.systemRoot(&resolver)
            return try matcher.match(&resolver, hasWindows: root != nil, stop: stop)
        }
    }

    /// Deletes one file, if it still is the one that was copied.
    func delete(_ file: MatchedFile) async throws(AgentError) {
        try await mounted.files { (tree) throws(AgentError) in
            try Self.check(file, in: tree)
            try tree.delete(file.name, in: file.directory)
        }
    }

    /// Writes one file, if it still is the one that was copied, or still is not there.
    func write(_ file: MatchedFile) async throws(AgentError) {
        guard let content = file.prepared else {
            throw AgentError(
                .invalidRequest, "There is nothing to write to \(windowsPath(file.finding.path)); it was left.",
                next: "Report this: it is a defect of the agent.")
        }
        try await mounted.files { (tree) throws(AgentError) in
            try Self.check(file, in: tree)
            let path = tree.path(file.path)
            let target = try tree.openToWrite(file.path, isNew: file.isMissing)
            try content.write(to: target, at: path)
            if case .quarantine(_, _, let entry) = file.content {
                try FileMetadata.set(entry, on: target, at: path)
                try target.synchronize(path)
            }
            if file.isMissing { try tree.synchronize(file.directory) }
        }
    }

    private static func check(_ file: MatchedFile, in tree: VolumeTree) throws(AgentError) {
        switch try tree.kind(of: file.name, in: file.directory) {
        case .missing where file.isMissing: return
        case .file(file.finding.sizeBytes, let inode) where !file.isMissing && inode == file.inode: return
        default:
            throw AgentError(
                .drift,
                "\(tree.path(file.path)) is no longer \(file.isMissing ? "missing" : "the file that was copied"); it was left.",
                next: "See what else uses the disk, and scan again.")
        }
    }

    /// Looks at the repaired volume, mounted anew: everything that was to go is gone, what was written holds what it was to
    /// hold, everything else that the recipe matches is as it was, and nothing new matches.
    func verify(in tree: VolumeTree, _ matcher: VolumeMatcher) throws(AgentError) {
        var resolver = PathResolver(tree)
        let root = try matcher.systemRoot(&resolver)
        let found = try matcher.match(&resolver, hasWindows: root != nil, stop: StopSignal()).filter { !$0.isMissing }
        for file in toWrite { try verify(file, in: tree) }
        let before = Dictionary(kept.map { ($0.path, $0.finding) }, uniquingKeysWith: { first, _ in first })
        let written = Set(toWrite.map(\.path))
        for file in found where !written.contains(file.path) {
            guard let known = before[file.path] else {
                throw .unverified("\(tree.path(file.path)) is there after the repair, and should not be")
            }
            guard known.sha256 == file.finding.sha256, known.sizeBytes == file.finding.sizeBytes else {
                throw .unverified("\(tree.path(file.path)) was to be kept, and has another content now")
            }
        }
        if let missing = kept.first(where: { file in !found.contains { $0.path == file.path } }) {
            throw .unverified("\(tree.path(missing.path)) was to be kept, and is gone")
        }
    }

    private func verify(_ file: MatchedFile, in tree: VolumeTree) throws(AgentError) {
        let path = tree.path(file.path)
        let facts = try RuleMatcher.facts(file.path, tree, StopSignal())
        guard facts.sizeBytes == file.finding.resultBytes, facts.digest.bytes.elementsEqual(file.finding.resultSha256)
        else { throw .unverified("\(path) was written, and holds something else") }
        guard case .quarantine(_, _, let entry) = file.content else { return }
        let found = try FileMetadata.all(of: try tree.openFile(file.path), at: path)
        guard entry.isRestored(by: found) else {
            throw .unverified("\(path) was put back, and its times or attributes are not what they were")
        }
    }
}

extension AgentError {
    static func unverified(_ what: String) -> AgentError {
        AgentError(
            .verificationFailed, "\(what).",
            next: "Do not use this repair copy. The original disk is untouched: begin again with a fresh copy.")
    }
}
