/// All that the emulator knows, in memory, and which of it is not on disk yet.
///
/// It is changed under one lock, a request at a time; a request is answered when what it has changed is on disk.
package struct EmulatorState: Sendable {
    /// What is to be written, by table and key; nil for what is to be removed.
    package struct Changes: Sendable {
        package var records: [String: Record?] = [:]
        package var operations: [String: Operation?] = [:]

        /// Adds later changes.
        package mutating func merge(_ later: Changes) {
            records.merge(later.records) { $1 }
            operations.merge(later.operations) { $1 }
        }

        package var isEmpty: Bool { records.isEmpty && operations.isEmpty }
    }

    private var records: [String: Record] = [:]
    /// Keys of resources by their lower-cased type, for lists.
    private var keysByType: [String: Set<String>] = [:]
    /// Keys of what lies in a group, by the group's key.
    private var keysByGroup: [String: Set<String>] = [:]
    private var operations: [String: Operation] = [:]
    private var changes = Changes()
    /// What was before the changes, so that they can be taken back.
    private var before = Changes()

    package init(records: [Record] = [], operations: [Operation] = []) {
        for record in records { insert(record) }
        for operation in operations { self.operations[operation.id] = operation }
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

    /// Resources of a type, in the order of their ids.
    /// - Parameter scope: a subscription, a group, or the resource that they are children of.
    package func list(_ type: String, in scope: ResourceID) -> [Record] {
        let prefix = scope.key + "/"
        return (keysByType[type.lowercased()] ?? []).filter { $0.hasPrefix(prefix) }.sorted().compactMap { records[$0] }
    }

    package func inGroup(_ group: ResourceID) -> [Record] {
        (keysByGroup[group.key] ?? []).sorted().compactMap { records[$0] }
    }

    package var resourceCount: Int { records.count }

    private mutating func drop(_ record: Record) {
        let key = record.id.key
        records[key] = nil
        keysByType[record.id.type.lowercased()]?.remove(key)
        if let group = record.id.group, group.key != key { keysByGroup[group.key]?.remove(key) }
    }

    private mutating func remember(_ key: String, _ known: Record?) {
        if before.records[key] == nil { before.records[key] = .some(known) }
    }

    private mutating func insert(_ record: Record) {
        let key = record.id.key
        records[key] = record
        keysByType[record.id.type.lowercased(), default: []].insert(key)
        if let group = record.id.group, group.key != key { keysByGroup[group.key, default: []].insert(key) }
    }

    // MARK: Operations

    package func operation(_ id: String) -> Operation? { operations[id] }

    package mutating func put(_ operation: Operation) {
        remember(operation: operation.id)
        operations[operation.id] = operation
        changes.operations[operation.id] = .some(operation)
    }

    package mutating func forget(operation id: String) {
        guard operations[id] != nil else { return }
        remember(operation: id)
        operations[id] = nil
        changes.operations[id] = .some(nil)
    }

    /// Operations that should have ended by now, the earliest first.
    package func due(at now: EmulatorTime) -> [Operation] {
        operations.values.filter { $0.isRunning && $0.due <= now }.sorted { ($0.due, $0.id) < ($1.due, $1.id) }
    }

    package func running(on id: ResourceID) -> Operation? {
        operations.values.first { $0.isRunning && $0.target == id }
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
        for (id, operation) in before.operations { operations[id] = operation }
        changes = Changes()
        before = Changes()
    }
}
