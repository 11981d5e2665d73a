internal import Subprocess
internal import SystemPackage

/// The program `az`.
package struct AzureCLI: Sendable {
    /// How a call of it ended.
    package enum Outcome: Sendable {
        case missing
        case notStarted
        case tooLate
        case cancelled
        /// - code: nil where a signal ended it.
        case ended(_ code: Int32?, output: [UInt8], complaint: [UInt8])
    }

    /// It is slow to start, and may have to fetch a token itself.
    package static let limit = Duration.seconds(30)

    let run: @Sendable (_ arguments: [String]) async -> Outcome

    package init(run: @escaping @Sendable (_ arguments: [String]) async -> Outcome) { self.run = run }

    /// - Parameter variables: the environment that it runs in, with the PATH that it is looked for in.
    package static func installed(_ variables: [String: String]) -> AzureCLI {
        AzureCLI { arguments in await start(arguments, variables) }
    }

    private static func start(_ arguments: [String], _ variables: [String: String]) async -> Outcome {
        guard let program = await find(in: variables["PATH"] ?? "") else { return .missing }
        var environment = variables
        environment["AZURE_CORE_NO_COLOR"] = "true"
        let custom = Environment.custom(
            Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }))
        do {
            return try await withThrowingTaskGroup(of: Outcome.self) { tasks in
                tasks.addTask {
                    // From a folder that nobody but the system fills.
                    let result = try await Subprocess.run(
                        .path(program), arguments: Arguments(arguments), environment: custom, workingDirectory: "/bin",
                        output: .bytes(limit: 1 << 20), error: .bytes(limit: 1 << 20))
                    var code: Int32?
                    if case .exited(let status) = result.terminationStatus { code = status }
                    return .ended(code, output: result.standardOutput, complaint: result.standardError)
                }
                tasks.addTask {
                    try await Task.sleep(for: limit)
                    return .tooLate
                }
                defer { tasks.cancelAll() }
                return try await tasks.next() ?? .notStarted
            }
        } catch {
            return Task.isCancelled || error is CancellationError ? .cancelled : .notStarted
        }
    }
}
