internal import SalvorJSON
internal import Synchronization

/// Azure's limits on requests: at its front door by subscription, and in Microsoft.Compute by machine and by
/// subscription. The figures are those of "Compute throttling limits" and "Throttling Resource Manager requests".
package final class Throttle: Sendable {
    /// A group of compute requests that are counted together.
    enum Group: String, Sendable {
        case put = "PutVM"
        case delete = "DeleteVM"
        case get = "LowCostGet"
        case list = "HighCostGet"
        case operation = "GetOperation"

        /// Nil where a machine has no bucket of its own.
        var ofMachine: TokenBucket.Limit? {
            switch self {
            case .put, .delete: .init(burst: 12, perMinute: 4)
            case .get: .init(burst: 36, perMinute: 12)
            case .operation: .init(burst: 45, perMinute: 15)
            case .list: nil
            }
        }

        var ofSubscription: TokenBucket.Limit {
            switch self {
            case .put, .delete: .init(burst: 1500, perMinute: 500)
            case .get: .init(burst: 24_000, perMinute: 8000)
            case .operation: .init(burst: 15_000, perMinute: 5000)
            case .list: .init(burst: 900, perMinute: 300)
            }
        }
    }

    private enum Door: String {
        case reads, writes, deletes

        init(_ method: String) {
            switch method {
            case "GET", "HEAD": self = .reads
            case "DELETE": self = .deletes
            default: self = .writes
            }
        }

        var limit: TokenBucket.Limit {
            self == .reads ? .init(burst: 250, perMinute: 25 * 60) : .init(burst: 200, perMinute: 10 * 60)
        }
    }

    private let isOn: Bool
    private let buckets = Mutex<[String: TokenBucket]>([:])
    /// Full buckets are forgotten when there are more than so many.
    private static let mostBuckets = 10_000

    init(isOn: Bool) { self.isOn = isOn }

    /// Counts a request.
    /// - Returns: headers that say how many more there may be.
    /// - Throws: 429 with `Retry-After`; a request that is refused is not counted.
    func take(
        _ path: ARMPath, _ request: EmulatorRequest, in state: EmulatorState, _ now: EmulatorTime
    ) throws(ARMError) -> [(name: String, value: String)] {
        guard isOn, let subscription = path.subscription else { return [] }
        let door = Door(request.method)
        let compute = Self.compute(path, request, in: state)
        return try buckets.withLock { (buckets) throws(ARMError) in
            if buckets.count > Self.mostBuckets {
                for (key, var bucket) in buckets {
                    bucket.refill(now)
                    if bucket.isFull { buckets[key] = nil }
                }
            }
            var wanted = [("\(subscription)/\(door.rawValue)", door.limit)]
            if let (group, machine) = compute {
                wanted.append(("\(subscription)/\(group.rawValue)", group.ofSubscription))
                if let machine, let limit = group.ofMachine { wanted.append(("\(machine)/\(group.rawValue)", limit)) }
            }
            for (index, (key, limit)) in wanted.enumerated() {
                buckets[key, default: TokenBucket(limit, now: now)].refill(now)
                let wait = buckets[key]?.secondsToWait ?? 0
                guard wait == 0 else {
                    throw index == 0 ? Self.atDoor(door.rawValue, subscription, wait) : Self.inCompute(compute?.0, wait)
                }
            }
            for (key, _) in wanted { buckets[key]?.take() }
            var headers = [
                ("x-ms-ratelimit-remaining-subscription-\(door.rawValue)", "\(buckets[wanted[0].0]?.remaining ?? 0)")
            ]
            if let group = compute?.0 {
                let left = wanted.dropFirst().compactMap { buckets[$0.0]?.remaining }.min() ?? 0
                headers.append(("x-ms-ratelimit-remaining-resource", "Microsoft.Compute/\(group.rawValue)3Min;\(left)"))
            }
            return headers
        }
    }

    /// The group that a request counts in, and the machine.
    private static func compute(
        _ path: ARMPath, _ request: EmulatorRequest, in state: EmulatorState
    ) -> (Group, String?)? {
        let type = "microsoft.compute/virtualmachines"
        switch path {
        case .resource(let id) where id.type.lowercased() == type:
            switch request.method {
            case "GET": return (.get, id.key)
            case "DELETE": return (.delete, id.key)
            default: return (.put, id.key)
            }
        case .action(let id, _) where id.type.lowercased() == type:
            return (request.method == "GET" ? .get : .put, id.key)
        case .collection(_, let listed) where listed.lowercased() == type: return (.list, nil)
        case .operation(let id, _):
            guard let target = state.operation(id)?.target, target.namespace?.lowercased() == "microsoft.compute"
            else { return nil }
            return (.operation, target.type.lowercased() == type ? target.key : nil)
        default: return nil
        }
    }

    private static func atDoor(_ door: String, _ subscription: String, _ wait: Int) -> ARMError {
        ARMError(
            429, "SubscriptionRequestsThrottled",
            "Number of '\(door)' requests for subscription '\(subscription)' exceeded. Please try again after '\(wait)' "
                + "seconds.", headers: ["Retry-After": "\(wait)"])
    }

    private static func inCompute(_ group: Group?, _ wait: Int) -> ARMError {
        let name = "\(group?.rawValue ?? "")3Min"
        return ARMError(
            429, "OperationNotAllowed",
            "The server rejected the request because too many requests have been received for this subscription.",
            headers: ["Retry-After": "\(wait)"],
            details: [
                ARMError(
                    429, "TooManyRequests", "{\"operationGroup\":\"\(name)\",\"retryAfterSeconds\":\(wait)}",
                    target: name)
            ])
    }
}

extension ARMPath {
    /// The subscription that the path is in.
    var subscription: String? {
        switch self {
        case .tenants, .subscriptions: nil
        case .operation(_, let subscription): subscription
        case .subscription(let id), .locations(let id), .groups(let id), .everything(let id), .providers(let id),
            .provider(let id, _), .registration(let id, _, _), .catalog(let id, _, _), .collection(let id, _),
            .resource(let id), .action(let id, _):
            id.subscription.lowercased()
        }
    }
}
