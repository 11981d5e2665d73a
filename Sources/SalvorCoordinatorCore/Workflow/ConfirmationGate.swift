/// Where machines wait until all of them have been scanned, so that the operator is asked once.
actor ConfirmationGate {
    private var undecided: Set<String>
    private var plans: [RepairPlan] = []
    private var waiting: [CheckedContinuation<Bool, Never>] = []
    private let ask: (@Sendable ([RepairPlan]) async -> Bool)?

    /// - Parameters:
    ///   - machines: each of which submits or withdraws.
    ///   - ask: nil where the operator agreed beforehand.
    init(machines: some Sequence<String>, ask: (@Sendable ([RepairPlan]) async -> Bool)?) {
        undecided = Set(machines)
        self.ask = ask
    }

    /// Waits for the operator's answer.
    func submit(_ plan: RepairPlan) async -> Bool {
        guard ask != nil else { return true }
        undecided.remove(plan.machine)
        plans.append(plan)
        return await withCheckedContinuation { continuation in
            waiting.append(continuation)
            askWhenComplete()
        }
    }

    /// The machine has nothing to ask. Does nothing for one that has submitted.
    func withdraw(_ machine: String) {
        guard undecided.remove(machine) != nil else { return }
        askWhenComplete()
    }

    private func askWhenComplete() {
        guard undecided.isEmpty, !waiting.isEmpty, let ask else { return }
        let plans = plans.sorted { $0.machine < $1.machine }
        let waiting = waiting
        self.waiting = []
        Task {
            let answer = await ask(plans)
            for continuation in waiting { continuation.resume(returning: answer) }
        }
    }
}
