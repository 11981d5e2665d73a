internal import SalvorJSON

/// All that the emulator knows, in memory, and which of it is not on disk yet.
///
/// It is changed under one lock, a request at a time; a request is answered when what it has changed is on disk.
package struct EmulatorState: Sendable {
    /// What is to be written, by table and key; nil for what is to be removed.
    package struct Changes: Sendable {
        package var records: [String: Record?] = [:]
        package var operations: [String: Operation?] = [:]
        /// Contents of disks that are no more: to be removed when the rest is on disk.
        package var droppedContents: [String] = []

        /// Adds later changes.
        package mutating func merge(_ later: Changes) {
            records.merge(later.records) { $1 }
            operations.merge(later.operations) { $1 }
            droppedContents += later.droppedContents
        }

        package var isEmpty: Bool { records.isEmpty && operations.isEmpty }
    }

    private var records: [String: Record] = [:]
    /// Keys of resources by their lower-cased type, for lists.
    private var keysByType: [String: Set<String>] = [:]
    /// Keys of resources by what stands before their name: children of one type of one resource.
    private var keysByCollection: [Substring: Set<String>] = [:]
    /// Keys of what lies in a group, by the group's key.
    private var keysByGroup: [String: Set<String>] = [:]
    /// Keys of disks and snapshots by their content.
    private var owners: [String: String] = [:]
    private var operations: [String: Operation] = [:]
    /// Ids of the operations that go on, by the key of what they are done to.
    private var running: [String: Set<String>] = [:]
    /// Ids of the operations that have ended, in about the order in which they did.
    private var ended: [String] = []
    private var changes = Changes()
    /// What was before the changes, so that they can be taken back.
    private var before = Changes()

    package init(records: [Record] = [], operations: [Operation] = []) {
        for record in records { insert(record) }
        for operation in operations.sorted(by: { ($0.ended ?? $0.due) < ($1.ended ?? $1.due) }) { insert(operation) }
    }

    // MARK: Resources

    package subscript(id: ResourceID) -> Record? { records[id.key] }

    package func require(_ id: ResourceID) throws(ARMError) -> Record {
        guard let record = records[id.key] else { throw .resourceNotFound(id) }
        return record
    }

    /// Adds a resource or replaces it.
    package mutating func put(_ record: Record) {
        var record = record
        let known = records[record.id.key]
        record.version = (known?.version ?? 0) + 1
        remember(record.id.key, known)
        insert(record)
        changes.records[record.id.key] = .some(record)
    }

    package mutating func remove(_ id: ResourceID) {
        let key = id.key
        guard let known = records[key] else { return }
        remember(key, known)
        drop(known)
        changes.records[key] = .some(nil)
    }

    /// Removes a resource with its children and all that lies on it.
    package mutating func removeTree(_ id: ResourceID) {
        // What lies in no group is seldom removed, and looked for everywhere.
        let keys = id.group.map { keysByGroup[$0.key] ?? [] } ?? Set(records.keys)
        let prefix = id.key + "/"
        for record in keys.filter({ $0.hasPrefix(prefix) }).compactMap({ records[$0] }) { remove(record.id) }
        remove(id)
    }

    /// Resources of a type, in the order of their ids.
    /// - Parameter scope: a subscription, a group, or the resource that they are children of.
    package func list(_ type: String, in scope: ResourceID) -> [Record] {
        let prefix = scope.key + "/"
        return (keysByType[type.lowercased()] ?? []).filter { $0.hasPrefix(prefix) }.sorted().compactMap { records[$0] }
    }

    /// Resources of a type in all subscriptions, in the order of their ids.
    package func all(_ type: String) -> [Record] {
        (keysByType[type.lowercased()] ?? []).sorted().compactMap { records[$0] }
    }

    /// Children of one type, in the order of their names.
    package func children(of id: ResourceID, _ type: String) -> [Record] {
        (keysByCollection["\(id.key)/\(type.lowercased())"] ?? []).sorted().compactMap { records[$0] }
    }

    package func inGroup(_ group: ResourceID) -> [Record] {
        (keysByGroup[group.key] ?? []).sorted().compactMap { records[$0] }
    }

    /// Whether there is such a resource in a subscription or group.
    package func has(in scope: ResourceID, where fits: (Record) -> Bool) -> Bool {
        records.values.contains { $0.id.isWithin(scope) && fits($0) }
    }

    package var resourceCount: Int { records.count }

    private mutating func drop(_ record: Record) {
        let key = record.id.key
        records[key] = nil
        if let content = DiskContents.id(of: record) { owners[content] = nil }
        keysByType[record.id.type.lowercased()]?.remove(key)
        let collection = Self.collection(of: key)
        keysByCollection[collection]?.remove(key)
        if keysByCollection[collection]?.isEmpty == true { keysByCollection[collection] = nil }
        if let group = record.id.group, group.key != key { keysByGroup[group.key]?.remove(key) }
    }

    private mutating func remember(_ key: String, _ known: Record?) {
        if before.records[key] == nil { before.records[key] = .some(known) }
    }

    private mutating func insert(_ record: Record) {
        let key = record.id.key
        if let old = records[key].flatMap(DiskContents.id) { owners[old] = nil }
        if let content = DiskContents.id(of: record) { owners[content] = key }
        records[key] = record
        keysByType[record.id.type.lowercased(), default: []].insert(key)
        keysByCollection[Self.collection(of: key), default: []].insert(key)
        if let group = record.id.group, group.key != key { keysByGroup[group.key, default: []].insert(key) }
    }

    /// What stands before the name in a key.
    private static func collection(of key: String) -> Substring {
        key.utf8.lastIndex(of: UInt8(ascii: "/")).map { key[..<$0] } ?? key[...]
    }

    // MARK: Operations

    package func operation(_ id: String) -> Operation? { operations[id] }

    package mutating func put(_ operation: Operation) {
        remember(operation: operation.id)
        insert(operation)
        changes.operations[operation.id] = .some(operation)
    }

    /// Operations that should have ended by now, the earliest first.
    package func due(at now: EmulatorTime) -> [Operation] {
        running.values.joined().compactMap { operations[$0] }.filter { $0.due <= now }.sorted {
            ($0.due, $0.id) < ($1.due, $1.id)
        }
    }

    /// Whether an operation that goes on reads a content, and is not one of the `background`.
    package func isRead(_ content: String, except background: Set<String> = []) -> Bool {
        running.values.joined().lazy.compactMap { operations[$0] }.contains {
            !background.contains($0.verb) && $0.sourceContents.contains(content)
        }
    }

    /// Contents that records name, or that operations still need.
    package var contents: Set<String> {
        Set(owners.keys).union(running.values.joined().compactMap { operations[$0] }.flatMap(\.contents))
    }

    /// The disk or snapshot whose bytes a content is.
    package func owner(ofContent content: String) -> Record? { owners[content].flatMap { records[$0] } }

    /// Contents that a record or an operation has given up since the last ``takeChanges()``, and that nobody else has.
    private var abandonedContents: Set<String> {
        var contents = Set(before.records.values.compactMap { $0 }.compactMap(DiskContents.id))
        for id in before.operations.keys {
            if let operation = operations[id], !operation.isRunning { contents.formUnion(operation.contents) }
        }
        contents = contents.filter { owners[$0] == nil }
        guard !contents.isEmpty else { return [] }
        return contents.subtracting(running.values.joined().compactMap { operations[$0] }.flatMap(\.contents))
    }

    /// When the next operation is due; nil when none is running.
    package func nextDue(except busy: Set<String>) -> EmulatorTime? {
        running.values.joined().lazy.filter { !busy.contains($0) }.compactMap { operations[$0]?.due }.min()
    }

    /// - Parameter background: verbs of operations that nobody has to wait for.
    package func running(on id: ResourceID, except background: Set<String> = []) -> Operation? {
        running[id.key]?.lazy.compactMap { operations[$0] }.first { !background.contains($0.verb) }
    }

    /// Drops operations that ended before `time`: clients no longer ask for them.
    package mutating func forgetOperations(endedBefore time: EmulatorTime) {
        guard let first = ended.first, operations[first].map({ ($0.ended ?? $0.due) < time }) ?? true else { return }
        let old = ended.prefix { operations[$0].map { !$0.isRunning && ($0.ended ?? $0.due) < time } ?? true }
        for id in old where operations[id] != nil {
            remember(operation: id)
            operations[id] = nil
            changes.operations[id] = .some(nil)
        }
        ended.removeFirst(old.count)
    }

    private mutating func insert(_ operation: Operation) {
        operations[operation.id] = operation
        if operation.isRunning {
            running[operation.target.key, default: []].insert(operation.id)
        } else {
            stopRunning(operation)
            ended.append(operation.id)
        }
    }

    private mutating func stopRunning(_ operation: Operation) {
        let key = operation.target.key
        running[key]?.remove(operation.id)
        if running[key]?.isEmpty == true { running[key] = nil }
    }

    private mutating func remember(operation id: String) {
        if before.operations[id] == nil { before.operations[id] = .some(operations[id]) }
    }

    // MARK: What is not on disk

    /// What has changed since the last call; from here on it cannot be taken back.
    package mutating func takeChanges() -> Changes {
        defer {
            changes = Changes()
            before = Changes()
        }
        changes.droppedContents += abandonedContents
        return changes
    }

    /// Takes back what has changed since ``takeChanges()``.
    package mutating func undo() {
        for (key, record) in before.records {
            if let record {
                insert(record)
            } else if let made = records[key] {
                drop(made)
            }
        }
        for (id, operation) in before.operations {
            if let operation {
                insert(operation)
            } else if let made = operations[id] {
                stopRunning(made)
                operations[id] = nil
            }
        }
        changes = Changes()
        before = Changes()
    }
}
