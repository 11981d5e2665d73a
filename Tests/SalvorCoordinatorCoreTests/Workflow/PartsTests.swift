import SalvorSystem
import SalvorAudit
import Testing

@testable import SalvorCoordinatorCore

@Suite struct PartsTests {
    @Test(arguments: [
        (0, 16, []), (1, 16, [1]), (16, 16, [16]), (17, 16, [9, 8]), (5, 2, [2, 2, 1]), (3, 0, [1, 1, 1]),
    ])
    func `machines are spread evenly over as few hosts as the capacity allows`(
        count: Int, capacity: Int, sizes: [Int]
    ) {
        let groups = HostPlan.pack(Array(0..<count), capacity: capacity) { _ in "" }
        #expect(groups.map(\.count) == sizes)
        #expect(groups.flatMap(\.self) == Array(0..<count))
    }

    @Test func `a run's name sorts by its time and ends in four letters`() throws {
        let time = try #require(WallTime(rfc3339: "2026-11-22T22:30:15.000Z"))
        let name = RunIdentifier.make(at: time) { 123_456_789 }
        #expect(name.hasPrefix("20261122-223015-"))
        #expect(name.count == 20)
        #expect(name != RunIdentifier.make(at: time) { 987_654_321 })
    }

    @Test func `at most so many run at the same time, and all run`() async {
        let limiter = Limiter(3)
        let counter = Gauge()
        await withTaskGroup { group in
            for _ in 0..<20 {
                group.addTask {
                    await limiter.run {
                        await counter.enter()
                        for _ in 0..<5 { await Task.yield() }
                        await counter.leave()
                    }
                }
            }
        }
        #expect(await counter.most <= 3)
        #expect(await counter.total == 20)
    }

    @Test func `every exit code has a number of its own and says what it means`() {
        #expect(Set(ExitCode.allCases.map(\.summary)).count == ExitCode.allCases.count)
        #expect(ExitCode(outcomes: [MachineOutcome(.repaired, ""), MachineOutcome(.nothingToRepair, "")]) == .success)
        #expect(ExitCode(outcomes: [MachineOutcome(.repaired, ""), MachineOutcome(.locked, "")]) == .someFailed)
        #expect(ExitCode(outcomes: [MachineOutcome(.locked, ""), MachineOutcome(.locked, "")]) == .locked)
        for kind in MachineOutcome.Kind.allCases where [.failed, .locked, .bootFailed].contains(kind) {
            #expect(MachineOutcome(kind, "").exitCode != .success)
        }
    }

    @Test func `credentials do not print their token`() {
        let credentials = EnrolmentCredentials(
            authorityFingerprint: AuditHead.empty.sha256, token: [UInt8](repeating: 0x5A, count: 32))
        #expect(!"\(credentials)".contains("90") && !"\(credentials)".lowercased().contains("5a"))
        #expect(!String(reflecting: credentials).contains("90"))
    }
}

private actor Gauge {
    private(set) var most = 0
    private(set) var total = 0
    private var now = 0

    func enter() {
        now += 1
        total += 1
        most = max(most, now)
    }

    func leave() { now -= 1 }
}
