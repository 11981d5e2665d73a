internal import FoundationEssentials
internal import SalvorDigest
package import SalvorMessages
internal import SwiftProtobuf

/// A file that a rule matched: what is reported of it, and what is needed to reach it again.
struct MatchedFile: Sendable {
    var finding: Salvor_V1_Finding
    let directory: [FileName]
    let name: FileName
    /// nil for what is no regular file.
    let inode: UInt64?
    /// For a file that is written over.
    var content: ContentSource?
    var prepared: PreparedContent?

    init(finding: Salvor_V1_Finding, directory: [FileName], name: FileName, inode: UInt64?) {
        self.finding = finding
        self.directory = directory
        self.name = name
        self.inode = inode
    }

    var path: [FileName] { directory + [name] }
    var isToGo: Bool { finding.action == .quarantineAndDelete }
    var isToWrite: Bool { finding.action == .quarantineAndWrite }
    var isMissing: Bool { finding.verdict == .missing }
    /// Whether a copy of it goes to the operator.
    var isTaken: Bool { !isMissing && finding.action != .keep }
}

extension VolumeTree {
    /// What a recipe's rules match, as a scan reports it. Blocking.
    package func findings(_ recipe: Salvor_V1_Recipe) throws(AgentError) -> [Salvor_V1_Finding] {
        var resolver = PathResolver(self)
        return try RuleMatcher(recipe: recipe, volumeNumber: 0, stop: StopSignal()).match(&resolver, [.windows]).map(
            \.finding)
    }
}

/// Matches a recipe's rules against one mounted volume. Blocking.
struct RuleMatcher {
    /// Enough for any magic number.
    static let longestHeader = 4096
    /// A channel file has some 40 KB: what is larger than this is not read, and so never judged.
    static let largestFile: UInt64 = 1 << 30
    static let mostMatches = 10_000

    let recipe: Salvor_V1_Recipe
    let volumeNumber: UInt32
    let stop: StopSignal

    /// Files in the order of the rules, then of their names.
    /// - Parameter role: which volumes' rules are meant.
    /// - Throws: ``AgentError/Code/ambiguousPath``, ``AgentError/Code/linkInPath``, ``AgentError/Code/unreadable``,
    ///   ``AgentError/Code/tooManyMatches``, ``AgentError/Code/cancelled``.
    func match(_ resolver: inout PathResolver, _ roles: Set<Salvor_V1_VolumeRole>) throws(AgentError) -> [MatchedFile] {
        var matches: [MatchedFile] = []
        var rules: [[FileName]: String] = [:]
        for rule in recipe.rules where roles.contains(rule.volumes) {
            for folder in try resolver.directories(matching: rule.folder) {
                let names = try resolver.names(in: folder, matching: rule.namePattern)
                if names.isEmpty, let file = missing(rule, in: folder) { matches.append(file) }
                for name in names {
                    try stop.check()
                    guard let file = try judge(name, in: folder, by: rule, resolver.tree) else { continue }
                    if let other = rules.updateValue(rule.id, forKey: file.path) {
                        throw AgentError(
                            .ambiguousPath,
                            "\(resolver.tree.path(file.path)) is matched by two rules of the recipe, \(other) and \(rule.id).",
                            next: "Correct the recipe, so that each file is one rule's.")
                    }
                    matches.append(file)
                    guard matches.count <= Self.mostMatches else {
                        throw AgentError(
                            .tooManyMatches, "More than \(Self.mostMatches) files match the recipe.",
                            next: "Narrow its name patterns.")
                    }
                }
            }
        }
        return matches
    }

    /// - Returns: nil where the rule does not say what follows from a missing file.
    private func missing(_ rule: Salvor_V1_Rule, in folder: [FileName]) -> MatchedFile? {
        guard let action = rule.actions.first(where: { $0.verdict == .missing }), let name = FileName(rule.namePattern)
        else { return nil }
        let finding = Salvor_V1_Finding.with {
            $0.ruleID = rule.id
            $0.volumeNumber = volumeNumber
            $0.path = (folder + [name]).map(\.text)
            $0.verdict = .missing
            $0.reason = "There is no such file."
            $0.action = action.action
        }
        var file = MatchedFile(finding: finding, directory: folder, name: name, inode: nil)
        file.content = .recipe(action.content)
        return file
    }

    /// - Returns: nil for a directory, which no rule means.
    private func judge(
        _ name: FileName, in folder: [FileName], by rule: Salvor_V1_Rule, _ tree: VolumeTree
    ) throws(AgentError) -> MatchedFile? {
        let path = folder + [name]
        var finding = Salvor_V1_Finding.with {
            $0.ruleID = rule.id
            $0.volumeNumber = volumeNumber
            $0.path = path.map(\.text)
            $0.verdict = .unknown
            $0.action = .keep
        }
        switch try tree.kind(of: name, in: folder) {
        case .directory, .missing: return nil
        case .link, .other:
            finding.reason =
                "It is a link or a reparse point that cannot be read here, and is never followed or deleted."
            return MatchedFile(finding: finding, directory: folder, name: name, inode: nil)
        case .file(let size, _) where size > Self.largestFile:
            finding.sizeBytes = size
            finding.reason = "Its \(size) bytes are more than a channel file can have; it was not read."
            return MatchedFile(finding: finding, directory: folder, name: name, inode: nil)
        case .file(let size, _) where try FileMetadata.isEncrypted(tree.openFile(path)):
            finding.sizeBytes = size
            finding.reason = "It is encrypted for a user (EFS), and only Windows can read it."
            return MatchedFile(finding: finding, directory: folder, name: name, inode: nil)
        case .file(_, let inode):
            let facts = try Self.facts(path, tree, stop)
            let (verdict, reason) = rule.judgement.verdict(on: facts)
            finding.sizeBytes = facts.sizeBytes
            finding.sha256 = .init(facts.digest.bytes)
            finding.header = .init(facts.beginning.prefix(16))
            finding.times = facts.times
            finding.verdict = verdict
            finding.reason = reason
            let action = rule.action(on: verdict)
            finding.action = action.action
            var file = MatchedFile(finding: finding, directory: folder, name: name, inode: inode)
            if action.action == .quarantineAndWrite { file.content = .recipe(action.content) }
            return file
        }
    }

    /// Reads a file once, for everything that a verdict rests on.
    static func facts(_ path: [FileName], _ tree: VolumeTree, _ stop: StopSignal) throws(AgentError)
        -> FileFacts
    {
        let file = try tree.openFile(path)
        let name = tree.path(path)
        let times = try FileMetadata.times(of: file, at: name)
        var content = ContentReader(file, name: name)
        var hash = SHA256()
        var beginning: [UInt8] = []
        var size: UInt64 = 0
        var isAllZero = true
        while let chunk = try content.next() {
            try stop.check()
            if beginning.count < longestHeader { beginning += chunk.prefix(longestHeader - beginning.count) }
            if isAllZero { isAllZero = chunk.allSatisfy { $0 == 0 } }
            hash.update(chunk)
            size += UInt64(chunk.count)
        }
        return FileFacts(
            sizeBytes: size, digest: hash.finalize(), beginning: beginning, isAllZero: isAllZero && size > 0,
            times: times)
    }
}
