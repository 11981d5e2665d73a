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
        var disk: ResourceID
        var wish: Wish
        var answer: CheckedContinuation<Result<Int64, AzureError>, Never>
    }

    private let machine: ResourceID
    private let arm: ARMClient
    private let gathering: Duration
    private var waiting: [Request] = []
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
        await withCheckedContinuation { answer in
            waiting.append(Request(disk: disk, wish: wish, answer: answer))
            // Whoever comes while a call is under way is in the next one.
            if worker == nil { worker = Task { await self.work() } }
        }
    }

    private func work() async {
        while !waiting.isEmpty {
            try? await arm.clock.sleep(gathering)
            let batch = waiting
            waiting = []
            await serve(batch)
        }
        worker = nil
    }

    private func serve(_ batch: [Request]) async {
        do throws(AzureError) {
            let luns = try await change(batch)
            for request in batch { request.answer.resume(returning: .success(luns[request.disk] ?? -1)) }
        } catch {
            // One disk that cannot be attached must not keep the others.
            guard batch.count > 1, error.code != .cancelled, error.code != .timedOut else {
                for request in batch { request.answer.resume(returning: .failure(error)) }
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
                // A lost answer: what became of it is seen at the next look.
                guard error.code == .unreachable || error.code == .failed || error.code == .timedOut, attempts < 3
                else {
                    throw error
                }
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
