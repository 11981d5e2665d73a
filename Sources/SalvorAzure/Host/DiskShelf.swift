import SalvorJSON

/// The data disks of one rescue VM. Requests that come close together go into one `attachDetachDataDisks`: one call each
/// would be throttled after a dozen.
///
/// What is attached is asked of Azure before each call, so that a repeat after a lost answer attaches nothing twice.
actor DiskShelf {
    private enum Wish {
        case attach
        case detach
    }

    private struct Request {
        var number: Int
        var disk: ResourceID
        var wish: Wish
    }

    private typealias Answer = CheckedContinuation<Result<Int64, AzureError>, Never>

    private let machine: ResourceID
    private let arm: ARMClient
    private let gathering: Duration
    private var waiting: [Request] = []
    /// Who waits still, by the numbers of the requests.
    private var answers: [Int: Answer] = [:]
    private var requests = 0
    private var worker: Task<Void, Never>?

    init(of machine: ResourceID, arm: ARMClient, gathering: Duration) {
        self.machine = machine
        self.arm = arm
        self.gathering = gathering
    }

    /// - Returns: the LUN.
    func attach(_ disk: ResourceID) async throws(AzureError) -> Int64 { try await ask(disk, .attach).get() }

    /// Succeeds where it is not attached.
    func detach(_ disk: ResourceID) async throws(AzureError) { _ = try await ask(disk, .detach).get() }

    private func ask(_ disk: ResourceID, _ wish: Wish) async -> Result<Int64, AzureError> {
        requests += 1
        let request = Request(number: requests, disk: disk, wish: wish)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { answer in
                guard !Task.isCancelled else { return answer.resume(returning: .failure(interrupted(request))) }
                answers[request.number] = answer
                waiting.append(request)
                // Whoever comes while a call is under way is in the next one.
                if worker == nil { worker = Task { await self.work() } }
            }
        } onCancel: {
            Task { await self.leave(request) }
        }
    }

    /// A call that is under way goes on for the others; what became of it is seen at the next look.
    private func leave(_ request: Request) {
        waiting.removeAll { $0.number == request.number }
        answer(request, .failure(interrupted(request)))
    }

    private func answer(_ request: Request, _ result: Result<Int64, AzureError>) {
        answers.removeValue(forKey: request.number)?.resume(returning: result)
    }

    private func interrupted(_ request: Request) -> AzureError {
        AzureError(
            .cancelled, "Interrupted while \(request.disk.name) was being brought to \(machine.name) or taken from it.",
            nextStep: "Resume the run.")
    }

    private func work() async {
        while !waiting.isEmpty {
            try? await arm.clock.sleep(gathering)
            let batch = waiting
            waiting = []
            if !batch.isEmpty { await serve(batch) }
        }
        worker = nil
    }

    private func serve(_ batch: [Request]) async {
        do throws(AzureError) {
            let luns = try await change(batch)
            for request in batch { answer(request, .success(luns[request.disk] ?? -1)) }
        } catch {
            // One disk that cannot be attached must not keep the others. What is no refusal, or takes the step's whole
            // time, would be the same for each of them, one time after the other.
            guard batch.count > 1, error.refusal != nil, error.code != .throttled, error.code != .timedOut else {
                for request in batch { answer(request, .failure(error)) }
                return
            }
            for request in batch { await serve([request]) }
        }
    }

    /// - Returns: the LUNs of what is attached now.
    private func change(_ batch: [Request]) async throws(AzureError) -> [ResourceID: Int64] {
        let arm = arm.within(.seconds(900))
        var attempts = 0
        while true {
            let there = try await luns(arm)
            let new = batch.filter { $0.wish == .attach && there[$0.disk] == nil }.map(\.disk)
            let old = batch.filter { $0.wish == .detach && there[$0.disk] != nil }.map(\.disk)
            guard !new.isEmpty || !old.isEmpty else { return there }
            // Azure has taken the call and the disks are not where they should be: not for ever.
            attempts += 1
            guard attempts <= 3 else {
                throw AzureError(
                    .operationFailed, "\(machine.name) does not have the disks that it was told to have.",
                    nextStep: "Look at the rescue VM in the portal, then resume the run.")
            }
            var body: [String: JSONValue] = [:]
            if !new.isEmpty {
                let free = Self.free(new.count, beside: Set(there.values))
                body["dataDisksToAttach"] = .array(
                    zip(new, free).map { disk, lun in
                        [
                            "diskId": .string(disk.text), "lun": .integer(lun), "caching": "None",
                            "deleteOption": "Detach",
                        ]
                    })
            }
            if !old.isEmpty {
                body["dataDisksToDetach"] = .array(old.map { ["diskId": .string($0.text)] })
            }
            do throws(AzureError) {
                try await arm.post(
                    "\(machine)/attachDetachDataDisks", .compute, .object(body), repeats: .never)
            } catch {
                // No answer, or none that says so: what became of the call is seen at the next look.
                let isUnknown =
                    [.unreachable, .timedOut].contains(error.code) || error.refusal.map { $0.status >= 500 } ?? false
                guard isUnknown, attempts < 3 else { throw error }
            }
        }
    }

    private func luns(_ arm: ARMClient) async throws(AzureError) -> [ResourceID: Int64] {
        guard let json = try await arm.find("\(machine)", .compute) else { return [:] }
        var luns: [ResourceID: Int64] = [:]
        for disk in json["properties"]?["storageProfile"]?["dataDisks"]?.array ?? [] {
            guard let id = disk["managedDisk"]?["id"]?.string.flatMap({ ResourceID($0) }),
                let lun = disk["lun"]?.integer
            else { continue }
            luns[id] = lun
        }
        return luns
    }

    private static func free(_ count: Int, beside taken: Set<Int64>) -> [Int64] {
        Array((0..<64).lazy.map(Int64.init).filter { !taken.contains($0) }.prefix(count))
    }
}
