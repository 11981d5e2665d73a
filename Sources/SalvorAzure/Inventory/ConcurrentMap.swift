extension Sequence where Self: Sendable, Element: Sendable {
    /// Does the same for each element, a few at a time, and gives the results in the elements' order.
    func concurrentMap<Output: Sendable>(
        atMost limit: Int = 8, _ transform: @escaping @Sendable (Element) async -> Output
    ) async -> [Output] {
        await withTaskGroup(of: (Int, Output).self) { group in
            var results: [Int: Output] = [:]
            var running = 0
            for (index, element) in enumerated() {
                if running == limit, let (done, output) = await group.next() {
                    results[done] = output
                    running -= 1
                }
                group.addTask { (index, await transform(element)) }
                running += 1
            }
            for await (done, output) in group { results[done] = output }
            return results.keys.sorted().compactMap { results[$0] }
        }
    }

    /// - Throws: the first element's error, once all have ended.
    func concurrentMap<Output: Sendable>(
        atMost limit: Int = 8, _ transform: @escaping @Sendable (Element) async throws(AzureError) -> Output
    ) async throws(AzureError) -> [Output] {
        let results = await concurrentMap(atMost: limit) { element in
            await Result.of { () async throws(AzureError) in try await transform(element) }
        }
        var outputs: [Output] = []
        for result in results { outputs.append(try result.get()) }
        return outputs
    }
}

extension Result where Success: Sendable, Failure == AzureError {
    /// What `async let` and task groups, which forget an error's type, can carry.
    static func of(_ work: @Sendable () async throws(AzureError) -> Success) async -> Self {
        do throws(AzureError) { return .success(try await work()) } catch { return .failure(error) }
    }
}
