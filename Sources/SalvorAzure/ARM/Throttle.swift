internal import Synchronization

/// Paces calls so that Azure need not refuse them: the front door's buckets by their documented figures, each group of
/// operations by what its answers say is left.
package final class Throttle: Sendable {
    /// What shares a limit: a method on a type, in one subscription.
    package struct Group: Hashable, Sendable {
        var subscription: String
        var method: String
        /// Lower-cased, with the action: `microsoft.compute/virtualmachines/start`.
        var type: String

        init(_ call: ARMCall) {
            let parts = call.target.lowercased().split(separator: "/").map(String.init)
            subscription = parts.first == "subscriptions" && parts.count > 1 ? parts[1] : ""
            method = call.method
            guard let provider = parts.lastIndex(of: "providers"), provider + 1 < parts.count else {
                type = parts.count > 2 ? parts[2] : ""
                return
            }
            // providers/ns/type/name/type/name/action
            var names = [parts[provider + 1]]
            for index in stride(from: provider + 2, to: parts.count, by: 2) { names.append(parts[index]) }
            type = names.joined(separator: "/")
        }
    }

    /// The front door's kinds: reads, writes and deletes have buckets of their own.
    private enum Door: Hashable { case reads, writes, deletes }

    private struct Key: Hashable {
        var subscription: String
        var door: Door
    }

    private struct State {
        var doors: [Key: Bucket] = [:]
        /// Until when a group must rest.
        var rests: [Group: Duration] = [:]
    }

    /// Answers that say so little is left make the group's next calls wait.
    private static let fewLeft = 3
    /// One machine should not be asked more often than this.
    private static let spacing = Duration.seconds(4)

    private let state = Mutex(State())

    package init() {}

    /// How long to wait before sending, a place in the line being taken.
    /// - Parameter now: the monotonic clock's.
    func delay(_ call: ARMCall, now: Duration) -> Duration {
        let group = Group(call)
        return state.withLock { state in
            let key = Key(subscription: group.subscription, door: Self.door(call.method))
            var bucket =
                state.doors[key] ?? Bucket.door(key.door == .reads ? 25 : 10, capacity: key.door == .reads ? 250 : 200)
            let forDoor = bucket.take(now: now)
            state.doors[key] = bucket
            let rest = (state.rests[group] ?? now) - now
            return max(forDoor, rest)
        }
    }

    /// How long the call's group has to rest still; nil where it may be sent.
    func rest(_ call: ARMCall, now: Duration) -> Duration? {
        let group = Group(call)
        return state.withLock { state in
            guard let end = state.rests[group] else { return nil }
            if end > now { return end - now }
            state.rests[group] = nil
            return nil
        }
    }

    /// Takes over what an answer says of the limits.
    func learn(_ call: ARMCall, _ answer: HTTPResponse, now: Duration) {
        let group = Group(call)
        let least = Self.leastRemaining(answer)
        let left = answer[header: Self.doorHeader(call.method)].flatMap(Double.init)
        let retryAfter = answer.status == 429 ? answer.retryAfter ?? Self.spacing : nil
        guard least != nil || left != nil || retryAfter != nil else { return }
        state.withLock { state in
            if let left {
                state.doors[Key(subscription: group.subscription, door: Self.door(call.method))]?.atMost(left, now: now)
            }
            if let retryAfter {
                // Earlier retries are not processed and only lengthen the queue.
                state.rests[group] = max(state.rests[group] ?? .zero, now + retryAfter)
            } else if let least, least <= Self.fewLeft {
                state.rests[group] = max(state.rests[group] ?? .zero, now + Self.spacing)
            }
        }
    }

    /// `Microsoft.Compute/PutVM3Min;236,Microsoft.Compute/PutVM30Min;1190`: the least of them.
    private static func leastRemaining(_ answer: HTTPResponse) -> Int? {
        answer[header: "x-ms-ratelimit-remaining-resource"]?.split(separator: ",").compactMap { item in
            item.split(separator: ";").last.flatMap { Int($0.filter { !$0.isWhitespace }) }
        }.min()
    }

    private static func door(_ method: String) -> Door {
        switch method {
        case "GET", "HEAD": .reads
        case "DELETE": .deletes
        default: .writes
        }
    }

    private static func doorHeader(_ method: String) -> String {
        switch door(method) {
        case .reads: "x-ms-ratelimit-remaining-subscription-reads"
        case .writes: "x-ms-ratelimit-remaining-subscription-writes"
        case .deletes: "x-ms-ratelimit-remaining-subscription-deletes"
        }
    }
}

/// Tokens that come back with time. Taking more than there are makes a debt, which is the place in the line.
private struct Bucket {
    var capacity: Double
    var perSecond: Double
    var tokens: Double
    var updated: Duration?

    static func door(_ perSecond: Double, capacity: Double) -> Bucket {
        Bucket(capacity: capacity, perSecond: perSecond, tokens: capacity)
    }

    mutating func take(now: Duration) -> Duration {
        refill(now)
        tokens -= 1
        return tokens >= 0 ? .zero : .seconds(-tokens / perSecond)
    }

    mutating func atMost(_ left: Double, now: Duration) {
        refill(now)
        tokens = min(tokens, left)
    }

    private mutating func refill(_ now: Duration) {
        if let updated { tokens = min(capacity, tokens + (now - updated).inSeconds * perSecond) }
        updated = now
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension HTTPResponse {
    /// Azure gives seconds; a date, which HTTP allows, it does not use.
    var retryAfter: Duration? {
        guard let text = self[header: "Retry-After"], let seconds = Double(text), seconds >= 0, seconds.isFinite else {
            return nil
        }
        return .seconds(min(seconds, 3600))
    }
}
