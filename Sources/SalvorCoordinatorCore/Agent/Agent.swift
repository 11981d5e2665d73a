package import SalvorDigest
package import SalvorMessages

/// The agent on one rescue VM, as the workflow sees it. Every call ends: by its answer, its deadline, or the loss of the
/// agent, each of the last two a ``CoordinatorError`` that names host and machine.
package protocol Agent: Sendable {
    var host: HostName { get }
    /// SHA-256 of the certificate that it proved itself with (DER).
    var certificateFingerprint: Digest { get }

    func version() async throws(CoordinatorError) -> Salvor_V1_VersionResponse

    func inventory() async throws(CoordinatorError) -> [Salvor_V1_Disk]

    /// Looks at one disk; changes no byte of it.
    /// - Parameter machine: whose disk it is, for messages.
    func scan(
        _ disk: DiskAddress, of machine: String, recipe: Salvor_V1_Recipe
    ) async throws(CoordinatorError) -> Salvor_V1_ScanResponse

    /// Tries keys on a disk's encrypted volumes; changes no byte of it.
    func unlock(
        _ disk: DiskAddress, of machine: String, with keys: [VolumeKey]
    ) async throws(CoordinatorError) -> Salvor_V1_UnlockResponse

    /// Makes the agent forget the keys of a disk's volumes.
    func forgetKeys(of disk: DiskAddress, on machine: String) async throws(CoordinatorError)

    /// Carries a recipe out on one disk.
    /// - Parameters:
    ///   - request: what to act on: the findings of a scan.
    ///   - onEvent: called for every event in order, the one with the outcome excepted.
    /// - Returns: the outcome, which came last and once.
    func apply(
        _ request: Salvor_V1_ApplyRequest, to machine: String,
        onEvent: @escaping @Sendable (Salvor_V1_ApplyEvent) async throws -> Void
    ) async throws(CoordinatorError) -> Salvor_V1_Outcome

    /// Hands over every file of one quarantine.
    func fetchQuarantine(
        _ id: String, of machine: String, into sink: any QuarantineSink
    ) async throws(CoordinatorError)

    /// Brings a quarantine back, for a recipe that puts its files back.
    func storeQuarantine(
        _ id: String, of machine: String, from source: QuarantineSource
    ) async throws(CoordinatorError)

    /// Makes the agent forget one quarantine. Only after all of it is stored.
    func discardQuarantine(_ id: String, of machine: String) async throws(CoordinatorError)

    /// Powers the rescue VM off, when nothing is mounted there.
    func powerOff() async throws(CoordinatorError)

    /// What the agent logs; returns when the task is cancelled or the agent is gone.
    func logs(_ onRecord: @escaping @Sendable (Salvor_V1_LogRecord) -> Void) async throws(CoordinatorError)
}

/// Takes what an agent has in quarantine: a beginning, an entry, its data in order, the next entry, …, the end.
package protocol QuarantineSink: Sendable {
    /// What was taken so far does not count: all of it comes anew.
    func restart() async throws(CoordinatorError)
    func begin(_ entry: Salvor_V1_QuarantineEntry) async throws(CoordinatorError)
    /// More of the file begun last.
    func append(_ data: [UInt8]) async throws(CoordinatorError)
    /// No file follows. Everything is on the disk when it returns.
    func end() async throws(CoordinatorError)
}
