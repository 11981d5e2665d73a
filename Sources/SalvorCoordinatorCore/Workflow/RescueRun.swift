internal import SalvorAudit

/// One rescue or scan of one or many machines, from the operator's command to the end.
///
/// Cancelling the task interrupts the run: its rescue VMs are ended, and what it left is for ``resume(_:dependencies:)``.
package struct RescueRun: Sendable {
    package let configuration: RunConfiguration
    package let recipe: Recipe
    package let dependencies: RunDependencies
    /// By ``RunClock/monotonic``.
    private let commandBegan: Duration

    /// - Parameter commandBegan: when the operator's command began, by the dependencies' clock; nil for now.
    package init(
        configuration: RunConfiguration, recipe: Recipe, dependencies: RunDependencies, commandBegan: Duration? = nil
    ) {
        self.configuration = configuration
        self.recipe = recipe
        self.dependencies = dependencies
        self.commandBegan = commandBegan ?? dependencies.clock.monotonic()
    }

    /// - Throws: where the run could not begin, nothing having been changed, or its own records failed. What befalls a
    ///   machine is that machine's outcome.
    package func run() async throws(CoordinatorError) -> RunResult {
        let machines = try await Self.machines(configuration.machines, dependencies.provider)
        let session = try await RunSession.begin(
            configuration, recipe: recipe, machines: machines, dependencies: dependencies, commandBegan: commandBegan)
        let fresh = machines.map { MachineRecord(machine: $0, attempt: 1, outcome: nil) }
        try await session.drive(fresh, taking: [])
        return try await session.end(as: .finished)
    }

    /// The machines of these names, each once, in the order given.
    static func machines(
        _ names: [String], _ provider: any Provider
    ) async throws(CoordinatorError) -> [Machine] {
        var machines: [Machine] = []
        for name in names where !machines.contains(where: { $0.name == name }) {
            do throws(ProviderError) {
                machines.append(try await provider.machine(named: name))
            } catch {
                throw CoordinatorError(error)
            }
        }
        guard !machines.isEmpty else {
            throw CoordinatorError(.noSuchMachine, "No machine was named.", nextStep: "Name at least one.")
        }
        return machines
    }
}
