internal import CLinux
internal import FoundationEssentials
internal import Glibc
package import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// Where files go before they are deleted: one directory for each Apply, on the rescue VM, until the coordinator has
/// fetched it. All of it is bounded by a budget, since the rescue VM keeps it in memory. Every method blocks.
package struct QuarantineStore: Sendable {
    package let directory: String
    package let budgetBytes: UInt64

    /// What a file costs beside its bytes: its entry with a security descriptor, which can be larger and hardly ever is.
    /// Where it does not fit after all, nothing was changed yet.
    static let overheadBytes: UInt64 = 1 << 13

    package init(directory: String = "/run/salvor/quarantine", budgetBytes: UInt64) {
        self.directory = directory
        self.budgetBytes = budgetBytes
    }

    /// Begins a quarantine, if it has room for all that is to come, so that nothing is deleted that would not fit.
    ///
    /// - Throws: ``AgentError/Code/invalidRequest``, ``AgentError/Code/quarantineExists``,
    ///   ``AgentError/Code/quarantineFull``.
    func begin(_ id: String, files: Int, bytes: UInt64) throws(AgentError) -> QuarantineWriter {
        let path = try path(of: id)
        try makeDirectories(directory)
        try checkRoom(files: files, bytes: bytes)
        guard mkdir(path, 0o700) == 0 else {
            guard errno == EEXIST else { throw .systemCall("mkdir", path) }
            throw AgentError(
                .quarantineExists, "There is a quarantine \(id) already. Nothing was deleted.",
                next: "Fetch and discard it, or use another id.")
        }
        return QuarantineWriter(id: id, path: path)
    }

    /// - Throws: ``AgentError/Code/quarantineFull`` where so much more does not fit.
    func checkRoom(files: Int, bytes: UInt64) throws(AgentError) {
        let needed = bytes + UInt64(files) * Self.overheadBytes
        let used = try usedBytes()
        let left = budgetBytes - min(budgetBytes, used)
        var space = statvfs()
        guard statvfs(directory, &space) == 0 else { throw .systemCall("statvfs", directory) }
        let free = min(left, UInt64(space.f_bavail) * UInt64(space.f_frsize))
        guard needed <= free else {
            throw AgentError(
                .quarantineFull,
                "The quarantine has room for \(free) bytes and \(needed) are needed. Nothing was changed.",
                next: "Fetch and discard older quarantines, or give the rescue VM more memory.")
        }
    }

    /// Entries in the order in which the files were taken.
    /// - Throws: ``AgentError/Code/noSuchQuarantine``, ``AgentError/Code/quarantineDamaged``.
    package func entries(of id: String) throws(AgentError) -> [Salvor_V1_QuarantineEntry] {
        let path = try existingPath(of: id)
        // A quarantine of which nothing was stored yet has no manifest.
        guard let bytes = contents(ofFile: QuarantineWriter.manifest(in: path), limit: 1 << 30) else { return [] }
        var entries: [Salvor_V1_QuarantineEntry] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let length = Int(littleEndian(rest.prefix(4)))
            guard rest.count >= 4 + length,
                let entry = try? Salvor_V1_QuarantineEntry(serializedBytes: Array(rest.dropFirst(4).prefix(length)))
            else { throw .quarantineDamaged(id, "its manifest cannot be read") }
            entries.append(entry)
            rest = rest.dropFirst(4 + length)
        }
        return entries
    }

    /// What a recipe puts back; nothing where it does not.
    func entriesToPutBack(_ recipe: Salvor_V1_Recipe) async throws(AgentError) -> [Salvor_V1_QuarantineEntry] {
        guard !recipe.putBackFrom.isEmpty else { return [] }
        return try await Blocking.run { () throws(AgentError) in try entries(of: recipe.putBackFrom) }
    }

    /// Opens the content of the entry at `index`.
    func content(of id: String, at index: Int) throws(AgentError) -> ContentReader {
        let path = QuarantineWriter.content(index, in: try existingPath(of: id))
        return ContentReader(try Descriptor.open(path, O_RDONLY), name: path)
    }

    /// Forgets a quarantine.
    /// Does nothing where there is none of that name.
    package func discard(_ id: String) throws(AgentError) {
        let path = try path(of: id)
        guard access(path, F_OK) == 0 else { return }
        for name in try names(in: path) {
            guard unlink("\(path)/\(name)") == 0 else { throw .systemCall("unlink", "\(path)/\(name)") }
        }
        guard rmdir(path) == 0 else { throw .systemCall("rmdir", path) }
    }

    private func existingPath(of id: String) throws(AgentError) -> String {
        let path = try path(of: id)
        guard access(path, F_OK) == 0 else {
            throw AgentError(
                .noSuchQuarantine, "There is no quarantine \(id) on this rescue VM.",
                next: "See the run's journal for the quarantines that it made.")
        }
        return path
    }

    /// - Throws: ``AgentError/Code/invalidRequest`` for what cannot name a quarantine.
    func checkID(_ id: String) throws(AgentError) { _ = try path(of: id) }

    private func path(of id: String) throws(AgentError) -> String {
        let allowed = Set("abcdefghijklmnopqrstuvwxyz0123456789-".utf8)
        guard (1...64).contains(id.utf8.count), id.utf8.allSatisfy(allowed.contains) else {
            throw AgentError(
                .invalidRequest, "\"\(printable(id.utf8.prefix(64)))\" is no quarantine id.",
                next: "Use 1 to 64 of a to z, 0 to 9 and -.")
        }
        return "\(directory)/\(id)"
    }

    private func usedBytes() throws(AgentError) -> UInt64 {
        var total: UInt64 = 0
        for id in try names(in: directory) {
            for file in try names(in: "\(directory)/\(id)") {
                var status = stat()
                if stat("\(directory)/\(id)/\(file)", &status) == 0 { total += UInt64(max(0, status.st_size)) }
            }
        }
        return total
    }

    private func names(in path: String) throws(AgentError) -> [String] {
        guard let stream = opendir(path) else { throw .systemCall("opendir", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if let name = FileName(bytes: bytes) { names.append(name.text) }
        }
        return names
    }
}

extension AgentError {
    static func quarantineDamaged(_ id: String, _ how: String) -> AgentError {
        AgentError(
            .quarantineDamaged, "Quarantine \(id) is damaged: \(how).",
            next: "The original disk still has the files: keep it.")
    }
}
