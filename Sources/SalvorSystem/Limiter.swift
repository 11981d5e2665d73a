/// Lets at most so many bodies run at the same time; the others wait in order.
package actor Limiter {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init(_ limit: Int) { free = max(1, limit) }

    /// A cancelled task waits for its turn as well: each turn before it ends soon, being cancelled too.
    package func run<Value: Sendable, Failure: Error>(
        _ body: @Sendable () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        await enter()
        defer { leave() }
        return try await body()
    }

    private func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
