/// Finds entries below a volume's root the way Windows does, without regard to case, and refuses to choose: two entries
/// that differ only in case are an error. Lists each directory once.
struct PathResolver {
    let tree: VolumeTree
    private var listings: [[FileName]: Listing] = [:]
    /// Read once something is compared that is not ASCII: nearly nothing on most disks.
    private var volumeTable: CaseTable?

    private enum Listing {
        case whole(Whole)
        /// With more names than are kept: each look goes through them again.
        case large
    }

    private struct Whole {
        let names: [FileName]
        let isASCII: Bool
        /// Only of folders that something is looked up in by its name.
        private var byFoldedName: [[UInt16]: [FileName]]?

        init(_ names: [FileName]) {
            self.names = names
            isASCII = names.allSatisfy(\.isASCII)
        }

        mutating func names(folded: [UInt16], _ table: CaseTable) -> [FileName] {
            let known = byFoldedName ?? Dictionary(grouping: names) { table.fold($0) }
            byFoldedName = known
            return known[folded] ?? []
        }
    }

    /// A folder of Windows has some thousands. A million, which a hostile disk can have, would take the memory of a small
    /// rescue VM.
    private static let mostKept = 20_000

    init(_ tree: VolumeTree) { self.tree = tree }

    /// The components as the disk spells them.
    /// - Returns: nil where a component is missing or, before the last, is no directory.
    /// - Throws: ``AgentError/Code/ambiguousPath``, ``AgentError/Code/linkInPath``, ``AgentError/Code/unreadable``.
    mutating func resolve(_ components: [String], below base: [FileName] = []) throws(AgentError) -> [FileName]? {
        var found = base
        for (index, component) in components.enumerated() {
            let candidates = try names(in: found, equalTo: component)
            guard let name = candidates.first else { return nil }
            guard candidates.count == 1 else {
                let spellings = candidates.map(\.text).sorted().joined(separator: ", ")
                throw AgentError(
                    .ambiguousPath,
                    "\(tree.path(found)) holds \(candidates.count) entries that Windows takes for one: \(spellings).",
                    next: "Look at the volume by hand and remove the one that Windows does not use.")
            }
            switch try tree.kind(of: name, in: found) {
            case .link: throw .linkInPath(tree.path(found + [name]))
            case .directory: break
            case .file where index == components.count - 1: break
            case .file, .other, .missing: return nil
            }
            found.append(name)
        }
        return found
    }

    /// Every directory that fits a path whose components can have wildcards, in order of its text. What a wildcard fits and
    /// is no directory, a link above all, is passed over: nobody named it.
    /// - Throws: as ``resolve(_:)``, and ``AgentError/Code/tooManyMatches``.
    mutating func directories(matching components: [String], limit: Int = 1000) throws(AgentError) -> [[FileName]] {
        var found: [[FileName]] = [[]]
        for component in components {
            var next: [[FileName]] = []
            for directory in found {
                if component.contains(where: { $0 == "*" || $0 == "?" }) {
                    for name in try names(in: directory, matching: component)
                    where try tree.kind(of: name, in: directory) == .directory { next.append(directory + [name]) }
                } else if let path = try resolve([component], below: directory), let name = path.last,
                    try tree.kind(of: name, in: directory) == .directory
                {
                    next.append(path)
                }
            }
            guard next.count <= limit else {
                throw AgentError(
                    .tooManyMatches, "More than \(limit) folders fit \(windowsPath(components)).",
                    next: "Narrow the recipe's folder.")
            }
            found = next
        }
        return found
    }

    /// Names in a directory that a pattern matches, in order of their text, so that what is reported is the same each time.
    /// - Returns: of more than `limit`, one more than that.
    mutating func names(
        in directory: [FileName], matching text: String, limit: Int = 10_000
    ) throws(AgentError) -> [FileName] {
        let listing = try list(directory)
        let pattern = NamePattern(text, caseTable(for: text, listing))
        let found: [FileName] =
            switch listing {
            case .whole(let whole): whole.names.filter(pattern.matches)
            case .large: try names(in: directory, limit: limit + 1, where: pattern.matches)
            }
        return found.sorted { $0.text < $1.text }
    }

    private mutating func names(in directory: [FileName], equalTo text: String) throws(AgentError) -> [FileName] {
        let listing = try list(directory)
        let table = caseTable(for: text, listing)
        let folded = table.fold(text)
        switch listing {
        case .whole(var whole):
            // Out of the dictionary while it changes: it would be copied otherwise.
            listings[directory] = nil
            let found = whole.names(folded: folded, table)
            listings[directory] = .whole(whole)
            return found
        case .large:
            return try names(in: directory, limit: 16) { name in
                // A UTF-16 unit takes one to three bytes.
                (folded.count...(3 * folded.count)).contains(name.bytes.count) && table.fold(name) == folded
            }
        }
    }

    private func names(
        in directory: [FileName], limit: Int, where isWanted: (FileName) -> Bool
    ) throws(AgentError) -> [FileName] {
        var found: [FileName] = []
        try tree.forEachName(in: directory) { name in
            if isWanted(name) { found.append(name) }
            return found.count < limit
        }
        return found
    }

    private mutating func list(_ directory: [FileName]) throws(AgentError) -> Listing {
        if let known = listings[directory] { return known }
        let names = try names(in: directory, limit: Self.mostKept + 1) { _ in true }
        let listing = names.count > Self.mostKept ? Listing.large : .whole(Whole(names))
        listings[directory] = listing
        return listing
    }

    private mutating func caseTable(for text: String, _ listing: Listing) -> CaseTable {
        if let volumeTable { return volumeTable }
        // Of ASCII every table makes the same.
        if case .whole(let whole) = listing, whole.isASCII, text.utf8.allSatisfy({ $0 < 0x80 }) { return .unicode }
        let table = CaseTable(of: tree) ?? .unicode
        volumeTable = table
        return table
    }
}
