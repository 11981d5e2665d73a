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
    var matches: [MatchedFile] = []

    var toGo: [MatchedFile] { matches.filter(\.isToGo) }
    var kept: [MatchedFile] { matches.filter { !$0.isToGo } }

    /// Matches the recipe again, now that the volume is mounted to be changed.
    func match(_ recipe: Salvor_V1_Recipe, stop: StopSignal) async throws(AgentError) -> [MatchedFile] {
        let number = volume.number
        return try await mounted.files { (tree) throws(AgentError) in
            var resolver = PathResolver(tree)
            guard try WindowsDetection.systemRoot(&resolver) != nil else {
                throw AgentError(
                    .notWindows, "Volume \(number) no longer holds Windows. Nothing was deleted.",
                    next: "See what else uses the disk, and scan again.")
            }
            return try RuleMatcher(recipe: recipe, volumeNumber: number, stop: stop).match(&resolver)
        }
    }

    /// Deletes one file, if it still is the one that was copied.
    func delete(_ file: MatchedFile) async throws(AgentError) {
        try await mounted.files { (tree) throws(AgentError) in
            let kind = try tree.kind(of: file.name, in: file.directory)
            guard case .file(file.finding.sizeBytes, let inode) = kind, inode == file.inode else {
                throw AgentError(
                    .drift, "\(tree.path(file.path)) is no longer the file that was copied; it was left.",
                    next: "See what else uses the disk, and scan again.")
            }
            try tree.delete(file.name, in: file.directory)
        }
    }

    /// Looks at the repaired volume, mounted anew: everything that was to go is gone, everything else that the recipe
    /// matches is as it was, and nothing new matches.
    func verify(in tree: VolumeTree, _ recipe: Salvor_V1_Recipe) throws(AgentError) {
        var resolver = PathResolver(tree)
        let matcher = RuleMatcher(recipe: recipe, volumeNumber: volume.number, stop: StopSignal())
        let found = try matcher.match(&resolver)
        let before = Dictionary(kept.map { ($0.path, $0.finding) }, uniquingKeysWith: { first, _ in first })
        for file in found {
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
}

extension AgentError {
    static func unverified(_ what: String) -> AgentError {
        AgentError(
            .verificationFailed, "\(what).",
            next: "Do not use this repair copy. The original disk is untouched: begin again with a fresh copy.")
    }
}
