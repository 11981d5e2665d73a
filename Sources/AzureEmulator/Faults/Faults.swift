internal import SalvorJSON
internal import Synchronization

/// Faults on demand: what goes wrong because somebody wants to see what happens then.
package final class Faults: Sendable {
    private struct Standing: Sendable {
        var rule: FaultRule
        var matches = 0
        var hits = 0
    }

    private struct Script: Sendable {
        var rules: [Standing] = []
        var generator: SplitMix
    }

    private let script: Mutex<Script>

    /// - Parameter seed: of what happens at a rate.
    package init(_ rules: [FaultRule] = [], seed: UInt64 = 0) {
        script = Mutex(Script(rules: rules.map { Standing(rule: $0) }, generator: SplitMix(seed: seed)))
    }

    package var rules: [FaultRule] {
        get { script.withLock { $0.rules.map(\.rule) } }
        set { script.withLock { $0.rules = newValue.map { Standing(rule: $0) } } }
    }

    /// How often each rule has held.
    package var hits: [Int] { script.withLock { $0.rules.map(\.hits) } }

    /// Lets a request have its effect, or not.
    func around(
        _ request: EmulatorRequest, _ clock: any EmulatorClock,
        _ effect: () async throws(ARMError) -> EmulatorResponse
    ) async throws(ARMError) -> EmulatorResponse {
        let holding = hold {
            !$0.effect.isOfOperations && $0.verb == nil && ($0.method ?? request.method) == request.method
                && Self.matches(request.path, $0.path)
        }
        switch holding {
        case .refuse(let status, let code, let message, let retryAfter):
            let headers = retryAfter.map { ["Retry-After": "\($0)"] } ?? [:]
            throw ARMError(status, code, message, headers: headers)
        case .hang: return EmulatorResponse(fate: .hang)
        case .lose:
            var response = try await effect()
            response.fate = .drop
            return response
        case .delay(let pause):
            let end = clock.now + pause
            while clock.now < end {
                do { try await clock.wait(until: end) } catch { break }
            }
            return try await effect()
        case nil, .fail, .stall: return try await effect()
        }
    }

    /// What an operation is to end with.
    func failure(of operation: Operation) -> ARMError? {
        let holding = hold { rule in
            guard case .fail = rule.effect else { return false }
            return Self.concerns(rule, operation)
        }
        guard case .fail(let code, let message) = holding else { return nil }
        return ARMError(409, code, message)
    }

    /// Whether an operation is to go on for ever.
    func stalls(_ operation: Operation) -> Bool {
        hold { $0.effect == .stall && Self.concerns($0, operation) } != nil
    }

    private static func concerns(_ rule: FaultRule, _ operation: Operation) -> Bool {
        (rule.verb ?? operation.verb) == operation.verb && matches(operation.target.description, rule.path)
    }

    private func hold(_ matches: (FaultRule) -> Bool) -> FaultRule.Effect? {
        script.withLock { script in
            for index in script.rules.indices where matches(script.rules[index].rule) {
                let rule = script.rules[index].rule
                script.rules[index].matches += 1
                guard script.rules[index].matches > rule.skip, script.rules[index].hits < rule.times ?? .max,
                    rule.rate >= 1 || Double.random(in: 0..<1, using: &script.generator) < rule.rate
                else { continue }
                script.rules[index].hits += 1
                return rule.effect
            }
            return nil
        }
    }

    /// Without regard to case; `*` is any text.
    static func matches(_ text: String, _ pattern: String?) -> Bool {
        guard let pattern else { return true }
        let parts = pattern.lowercased().split(separator: "*", omittingEmptySubsequences: false)
        var rest = text.lowercased()[...]
        guard let first = parts.first, let last = parts.last, rest.hasPrefix(first) else { return false }
        if parts.count == 1 { return rest == first }
        rest = rest.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }
}

/// A generator that gives the same numbers for the same seed (Steele, Lea and Flood, 2014).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
