internal import Foundation
package import GRPCCore
package import SalvorDigest
package import SalvorMessages
internal import SalvorSystem
internal import Synchronization

/// An agent behind connections that carry gRPC calls: the one that it has, and those that follow when that one is lost.
package final class GRPCAgent<Transport: ClientTransport>: Agent {
    /// Waits for the connection that follows a lost one; nil where none comes.
    package typealias Successor = @Sendable (_ lost: GRPCClient<Transport>) async -> GRPCClient<Transport>?

    package let host: HostName
    package let certificateFingerprint: Digest
    private let present: Mutex<GRPCClient<Transport>>
    private let successor: Successor
    private let deadlines: AgentDeadlines

    /// - Parameter client: its connections, and its successors', are run by the caller.
    package init(
        host: HostName, certificateFingerprint: Digest, client: GRPCClient<Transport>,
        deadlines: AgentDeadlines = AgentDeadlines(), successor: @escaping Successor = { _ in nil }
    ) {
        self.host = host
        self.certificateFingerprint = certificateFingerprint
        present = Mutex(client)
        self.deadlines = deadlines
        self.successor = successor
    }

    package func version() async throws(CoordinatorError) -> Salvor_V1_VersionResponse {
        try await call("Health.Version", within: deadlines.version) { client, options in
            try await Salvor_V1_Health.Client(wrapping: client).version(Salvor_V1_VersionRequest(), options: options)
        }
    }

    package func inventory() async throws(CoordinatorError) -> [Salvor_V1_Disk] {
        try await call("Inventory.List", within: deadlines.inventory) { client, options in
            try await Salvor_V1_Inventory.Client(wrapping: client)
                .list(Salvor_V1_ListDisksRequest(), options: options).disks
        }
    }

    package func scan(
        _ disk: DiskAddress, of machine: String, recipe: Salvor_V1_Recipe
    ) async throws(CoordinatorError) -> Salvor_V1_ScanResponse {
        try await call("Scan.Run", of: machine, within: deadlines.scan) { client, options in
            var request = Salvor_V1_ScanRequest()
            request.disk = disk.selector
            request.recipe = recipe
            return try await Salvor_V1_Scan.Client(wrapping: client).run(request, options: options)
        }
    }

    package func unlock(
        _ disk: DiskAddress, of machine: String, with keys: [VolumeKey]
    ) async throws(CoordinatorError) -> Salvor_V1_UnlockResponse {
        try await call("Unlock.Run", of: machine, within: deadlines.unlock) { client, options in
            var request = Salvor_V1_UnlockRequest()
            request.disk = disk.selector
            request.keys = keys.map { Salvor_V1_VolumeKey($0) }
            return try await Salvor_V1_Unlock.Client(wrapping: client).run(request, options: options)
        }
    }

    package func forgetKeys(of disk: DiskAddress, on machine: String) async throws(CoordinatorError) {
        try await call("Unlock.Forget", of: machine, within: deadlines.forgetKeys) { client, options in
            var request = Salvor_V1_ForgetKeysRequest()
            request.disk = disk.selector
            _ = try await Salvor_V1_Unlock.Client(wrapping: client).forget(request, options: options)
        }
    }

    package func apply(
        _ request: Salvor_V1_ApplyRequest, to machine: String,
        onEvent: @escaping @Sendable (Salvor_V1_ApplyEvent) async throws -> Void
    ) async throws(CoordinatorError) -> Salvor_V1_Outcome {
        // By SPEC.md A-2 a later call has what follows the last event that is written down.
        let lastSequence = Mutex(request.afterSequence)
        let outcome = try await call("Apply.Run", of: machine, within: deadlines.apply) { client, options in
            var request = request
            request.afterSequence = lastSequence.withLock { $0 }
            return try await Salvor_V1_Apply.Client(wrapping: client).run(request, options: options) { response in
                var outcome: Salvor_V1_Outcome?
                for try await event in response.messages {
                    guard outcome == nil else { throw self.fault("sent an event after the outcome", machine) }
                    guard event.sequence == lastSequence.withLock({ $0 }) + 1 else {
                        throw self.fault("sent an event twice, or left one out", machine)
                    }
                    if case .outcome(let last) = event.event {
                        outcome = last
                    } else {
                        try await onEvent(event)
                        lastSequence.withLock { $0 = event.sequence }
                    }
                }
                return outcome
            }
        }
        guard let outcome else { throw fault("ended Apply without an outcome", machine) }
        return outcome
    }

    package func fetchQuarantine(
        _ id: String, of machine: String, into sink: any QuarantineSink
    ) async throws(CoordinatorError) {
        try await call("Quarantine.Fetch", of: machine, within: deadlines.fetchQuarantine) { client, options in
            var request = Salvor_V1_FetchRequest()
            request.quarantineID = id
            // What an earlier call brought is brought again.
            try await sink.restart()
            try await Salvor_V1_Quarantine.Client(wrapping: client).fetch(request, options: options) { response in
                for try await chunk in response.messages {
                    switch chunk.part {
                    case .entry(let entry): try await sink.begin(entry)
                    case .data(let data): try await sink.append([UInt8](data))
                    case nil: throw self.fault("sent a chunk of a kind that this Salvor does not know", machine)
                    }
                }
            }
        }
        try await sink.end()
    }

    package func storeQuarantine(
        _ id: String, of machine: String, from source: QuarantineSource
    ) async throws(CoordinatorError) {
        try await call("Quarantine.Store", of: machine, within: deadlines.storeQuarantine, isRepeatable: false) {
            client, options in
            let answer = try await Salvor_V1_Quarantine.Client(wrapping: client).store(options: options) { writer in
                var first = Salvor_V1_StoreChunk()
                first.quarantineID = id
                try await writer.write(first)
                for file in source.files {
                    var chunk = Salvor_V1_StoreChunk()
                    chunk.entry = Salvor_V1_QuarantineEntry(file)
                    try await writer.write(chunk)
                    try await source.read(file) { bytes in
                        chunk.data = Data(bytes)
                        try await writer.write(chunk)
                    }
                }
            }
            guard Int(answer.files) == source.files.count else {
                throw self.fault("took \(answer.files) of \(source.files.count) files", machine)
            }
        }
    }

    package func discardQuarantine(_ id: String, of machine: String) async throws(CoordinatorError) {
        try await call("Quarantine.Discard", of: machine, within: deadlines.discardQuarantine) { client, options in
            var request = Salvor_V1_DiscardRequest()
            request.quarantineID = id
            _ = try await Salvor_V1_Quarantine.Client(wrapping: client).discard(request, options: options)
        }
    }

    package func powerOff() async throws(CoordinatorError) {
        try await call("Host.PowerOff", within: deadlines.powerOff, isRepeatable: false) { client, options in
            _ = try await Salvor_V1_Host.Client(wrapping: client).powerOff(
                Salvor_V1_PowerOffRequest(), options: options)
        }
    }

    package func logs(
        _ onRecord: @escaping @Sendable (Salvor_V1_LogRecord) -> Void
    ) async throws(CoordinatorError) {
        // No deadline: the call lasts as long as the host does, and is ended by cancellation.
        try await call("Host.Logs", within: nil, isRepeatable: false) { client, options in
            try await Salvor_V1_Host.Client(wrapping: client).logs(Salvor_V1_LogsRequest(), options: options) {
                response in
                for try await record in response.messages { onRecord(record) }
            }
        }
    }

    /// - Parameter isRepeatable: whether the call is made again, over the next connection, when its own is lost: it must do
    ///   no harm to make it twice.
    private func call<Answer: Sendable>(
        _ method: String, of machine: String? = nil, within deadline: Duration?, isRepeatable: Bool = true,
        _ body: (GRPCClient<Transport>, CallOptions) async throws -> Answer
    ) async throws(CoordinatorError) -> Answer {
        let end = deadline.map { ContinuousClock.now + $0 }
        var isRepeated = false
        while true {
            let client = present.withLock { $0 }
            var options = CallOptions.defaults
            options.timeout = end.map { $0 - .now }
            let failure: CoordinatorError
            let isLinkLost: Bool
            do {
                return try await body(client, options)
            } catch let error as RPCError where isRepeated && error.code == .aborted {
                // The disk is still held by the call that was lost: it ends at its next safe point.
                guard (try? await Task.sleep(for: .milliseconds(200))) != nil, end.map({ $0 > .now }) ?? true else {
                    throw AgentFailure(host: host, machine: machine, method: method, deadline: deadline).error(error)
                }
                continue
            } catch {
                failure = AgentFailure(host: host, machine: machine, method: method, deadline: deadline).error(error)
                // A client whose connection went before the call says so by an error that is no status.
                let code = (error as? RPCError)?.code
                isLinkLost = failure.code == .agentGone && code != .aborted && code != .unauthenticated
            }
            guard isRepeatable, isLinkLost, end.map({ $0 > .now }) ?? true,
                let next = await successor(client)
            else { throw failure }
            present.withLock { if $0 === client { $0 = next } }
            isRepeated = true
        }
    }

    private func fault(_ what: String, _ machine: String) -> CoordinatorError {
        AgentFailure(host: host, machine: machine, method: "", deadline: nil).fault(what)
    }
}

extension Salvor_V1_VolumeKey {
    fileprivate init(_ key: VolumeKey) {
        self.init()
        protectorGuid = key.protector ?? ""
        let bytes = key.secret.withBytes { Data($0) }
        switch key.kind {
        case .recoveryPassword: recoveryPassword = bytes
        case .password: password = bytes
        case .startupKey: startupKey = bytes
        }
    }
}

extension DiskAddress {
    /// As the agent is told: inventory.proto.
    package var selector: Salvor_V1_DiskSelector {
        var selector = Salvor_V1_DiskSelector()
        switch self {
        case .serial(let serial): selector.serial = serial
        case .lun(let lun): selector.lun = lun
        case .diskGUID(let guid): selector.diskGuid = guid
        }
        return selector
    }
}
