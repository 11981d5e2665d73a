internal import SalvorMessages
internal import SalvorRegistry

/// Makes a hive's new content. Blocking, and to be done in a process of its own alone: ``RegistryReading``.
struct HiveWork {
    let hive: HiveOnDisk

    struct Answer {
        var changes: [String]
        var bytes: [UInt8]
    }

    /// - Returns: nil where the hive is as it should be.
    /// - Throws: ``HiveError``, ``AgentError``: why it cannot be done.
    func make(_ content: Salvor_V1_NewContent) throws -> Answer? {
        switch content.source {
        case .repairedHive(let repair): return try self.repair(repair)
        case .editedHive(let edit):
            return try change { hive in
                var done: [String] = []
                for change in edit.changes { done += try apply(change, to: hive) }
                return done
            }
        case .safeBoot(let mode):
            return try change { hive in
                let wanted = try BootConfiguration.SafeBoot(mode)
                let found = try BootConfiguration.safeBoot(hive)
                guard found != wanted else { return [] }
                try BootConfiguration.set(wanted, in: hive)
                return ["Safe boot of the default entry: \(found.word) becomes \(wanted.word)."]
            }
        case .bytes, .copyOf, nil: throw HiveError("No change of a hive was asked for.")
        }
    }

    // MARK: Edit

    /// A hive that was not closed is edited with what its logs hold, and is closed then.
    private func change(_ edit: (borrowing Hive) throws -> [String]) throws -> Answer? {
        let file = try HiveFile(try hive.bytes(), logs: hive.logs())
        guard file.health != .unrecovered else {
            throw HiveError("It was not closed, and no log has what is missing: repair it first.")
        }
        let opened = try Hive(file.bytes, isEdited: true)
        var changes = try edit(opened)
        guard !changes.isEmpty else { return nil }
        if case .recovered(let entries) = file.health {
            changes.insert("The hive was not closed: \(entries) entries of its logs are applied.", at: 0)
        }
        return Answer(changes: changes, bytes: try opened.commit())
    }

    private func apply(_ change: Salvor_V1_ValueChange, to hive: borrowing Hive) throws -> [String] {
        let path = try resolved(change.key, hive)
        let shown = (path + [change.name.isEmpty ? "(default)" : change.name]).joined(separator: "\\")
        let key = hive.key(path)
        let before = key.flatMap { hive.data(change.name, of: $0) }
        guard let wanted = try RegistryValue(change) else {
            guard let key, let before else { return [] }
            try hive.deleteValue(change.name, of: key)
            return ["\(shown): \(before.shown) is removed."]
        }
        guard before != wanted else { return [] }
        try hive.set(change.name, to: wanted, of: try hive.makeKey(path))
        return ["\(shown): \(before?.shown ?? "nothing") becomes \(wanted.shown)."]
    }

    private func resolved(_ key: [String], _ hive: borrowing Hive) throws -> [String] {
        guard key.first?.lowercased() == "currentcontrolset" else { return key }
        guard let select = hive.key(["Select"]), let current = hive.number("Current", of: select), current < 1000 else {
            throw HiveError("It does not say which control set is the current one.")
        }
        return [WindowsFacts.controlSet(current)] + key.dropFirst()
    }

    // MARK: Repair

    private func repair(_ repair: Salvor_V1_HiveRepair) throws -> Answer? {
        let why: String
        do {
            let file = try HiveFile(try hive.bytes(), logs: hive.logs())
            _ = try Hive(file.bytes)
            switch file.health {
            case .clean: return nil
            case .recovered(let entries):
                return Answer(
                    changes: ["The hive was not closed: \(entries) entries of its logs are applied."], bytes: file.bytes
                )
            case .unrecovered: why = "It was not closed, and no log has what is missing."
            }
        } catch let error as HiveError {
            why = error.description
        }
        guard let backup = try hive.backup() else { throw HiveError("\(why) There is no backup in RegBack.") }
        let bytes = try backup.bytes()
        guard !bytes.isEmpty else {
            throw HiveError("\(why) Its backup in RegBack is empty, as Windows leaves it since version 1803.")
        }
        do {
            guard case .clean = try HiveFile(bytes, logs: []).health else {
                throw HiveError("It was not closed.")
            }
            _ = try Hive(bytes)
        } catch {
            throw HiveError("\(why) Its backup in RegBack is damaged, too: \(error)")
        }
        guard repair.fromBackup else {
            throw HiveError(
                "\(why) Its backup in RegBack is whole; to take it, say --consent older-registry: what was registered since "
                    + "it was made is lost.")
        }
        return Answer(
            changes: ["\(why) Its backup in RegBack takes its place: what was registered since then is lost."],
            bytes: bytes)
    }
}

extension RegistryValue {
    /// - Returns: nil for a value that is to go.
    fileprivate init?(_ change: Salvor_V1_ValueChange) throws {
        switch change.change {
        case .delete: return nil
        case .text(let text): self = .text(text)
        case .expandableText(let text): self = .expandableText(text)
        case .texts(let list): self = .texts(list.texts)
        case .number(let number): self = .number(number)
        case .longNumber(let number): self = .longNumber(number)
        case .binary(let bytes): self = .binary(Array(bytes))
        case nil: throw HiveError("A change says nothing of the value.")
        }
    }
}

extension BootConfiguration.SafeBoot {
    fileprivate init(_ mode: Salvor_V1_SafeBoot) throws {
        switch mode {
        case .off: self = .off
        case .minimal: self = .minimal
        case .network: self = .network
        case .UNRECOGNIZED(let number): throw HiveError("Safe boot has no kind \(number).")
        }
    }

    fileprivate var word: String {
        switch self {
        case .off: "off"
        case .minimal: "minimal"
        case .network: "network"
        case .other(let number): "kind \(number)"
        }
    }
}
