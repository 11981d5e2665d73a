internal import Glibc
internal import SalvorMessages
internal import SalvorSystem

/// Takes a quarantine that the coordinator brings back: an entry, its data in order, the next entry, …
actor QuarantineIntake {
    private let store: QuarantineStore
    private let writer: QuarantineWriter
    private var entry: Salvor_V1_QuarantineEntry?
    private var received: UInt64 = 0
    private var files = 0

    static let outOfOrder = AgentError(
        .invalidRequest, "A quarantine is brought back as its id, then each file's entry followed by its data.",
        next: "Report this: it is a defect of the coordinator.")

    /// - Throws: ``AgentError/Code/invalidRequest``, ``AgentError/Code/quarantineExists``, ….
    init(_ id: String, in store: QuarantineStore) async throws(AgentError) {
        self.store = store
        writer = try await Blocking.run { () throws(AgentError) in try store.begin(id, files: 0, bytes: 0) }
    }

    /// - Throws: ``AgentError/Code/quarantineFull``, ``AgentError/Code/quarantineDamaged``, ….
    func take(_ chunk: Salvor_V1_StoreChunk) async throws(AgentError) {
        switch chunk.part {
        case .entry(let next):
            try await endFile()
            let store = store
            try await Blocking.run { () throws(AgentError) in try store.checkRoom(files: 1, bytes: next.sizeBytes) }
            entry = next
            received = 0
            try await append([])
        case .data(let data):
            guard let entry, UInt64(data.count) <= entry.sizeBytes - received else { throw Self.outOfOrder }
            received += UInt64(data.count)
            try await append(Array(data))
        case .quarantineID, nil: throw Self.outOfOrder
        }
    }

    /// - Returns: how many files it has.
    func finish() async throws(AgentError) -> Int {
        try await endFile()
        return files
    }

    /// Keeps nothing.
    func giveUp() async throws(AgentError) {
        let store = store
        let id = writer.id
        try await Blocking.run { () throws(AgentError) in try store.discard(id) }
    }

    private func append(_ bytes: [UInt8]) async throws(AgentError) {
        let path = QuarantineWriter.content(files, in: writer.path)
        try await Blocking.run { () throws(AgentError) in
            try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW).write(bytes[...], to: path)
        }
    }

    private func endFile() async throws(AgentError) {
        guard let entry else { return }
        let writer = writer
        let index = files
        try await Blocking.run { () throws(AgentError) in try writer.adopt(entry, at: index) }
        self.entry = nil
        files += 1
    }
}
