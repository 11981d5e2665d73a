import Foundation
import SalvorAudit
import SalvorCoordinatorCore
import Synchronization
import Testing

/// A run in a world of its own, with a clock that ticks at every look and randomness from a seed.
struct RunBench: Sendable {
    let world: FakeWorld
    let folder: TemporaryFolder
    let questions = Questions()
    var answer = true
    var progress: @Sendable (ProgressEvent) -> Void = { _ in }

    final class Questions: Sendable {
        private let asked = Mutex<[ConfirmationQuestion]>([])
        var all: [ConfirmationQuestion] { asked.withLock { $0 } }
        func append(_ question: ConfirmationQuestion) { asked.withLock { $0.append(question) } }
    }

    private struct Answer: SalvorCoordinatorCore.Confirmation {
        let answer: Bool
        let questions: Questions

        func confirm(_ question: ConfirmationQuestion) async -> Bool {
            questions.append(question)
            return answer
        }
    }

    init(_ world: FakeWorld) throws {
        self.world = world
        folder = try TemporaryFolder()
    }

    var state: StateDirectory { StateDirectory(path: "\(folder.path)/state") }

    var dependencies: RunDependencies {
        let world = world
        var dependencies = RunDependencies(
            provider: FakeProvider(world: world),
            openSwitchboard: { (_, _, _) async throws(CoordinatorError) in FakeSwitchboard(world: world) },
            confirmation: Answer(answer: answer, questions: questions), state: state,
            operator: AuditEvent.Operator(name: "somebody", host: "here"), salvorVersion: "0.0.0")
        let ticks = Atomic64()
        dependencies.clock = RunClock(
            wall: { WallTime(unixMilliseconds: 1_795_386_615_000 + Int64(ticks.next())) },
            monotonic: { .milliseconds(ticks.next()) })
        dependencies.random = { 7 }
        dependencies.progress = progress
        return dependencies
    }

    func configuration(_ command: RunConfiguration.Command = .rescue) -> RunConfiguration {
        RunConfiguration(
            command,
            machines: world.snapshot.machines.keys.sorted { $0.count == $1.count ? $0 < $1 : $0.count < $1.count })
    }

    func run(_ configuration: RunConfiguration? = nil) async throws -> RunResult {
        defer { world.stopWatching() }
        return try await RescueRun(
            configuration: configuration ?? self.configuration(), recipe: try Self.recipe(), dependencies: dependencies
        ).run()
    }

    /// The first run on record.
    func runID() async throws -> String { try #require(try await Journal.open(state).runs().first).id }

    func resume() async throws -> RunResult {
        defer { world.stopWatching() }
        return try await RescueRun.resume(try await runID(), dependencies: dependencies)
    }

    static func recipe() throws -> Recipe { try RecipeReader.read(path: recipePath) }

    static let recipePath = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Coordinator/recipes/crowdstrike-291.yaml").path
}

final class Atomic64: Sendable {
    private let value = Mutex(0)
    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
