import SalvorCoordinatorCore
import Testing

extension Conformance {
    static let runChecks = [
        Check("what is there of a run is named, and nothing of another") { its in
            let machine = try await its.machine()
            let provider = try await its.ground.provider()
            let mine = try await provider.copyDisk(of: machine, to: its.copyName(machine))
            let theirs = try await provider.copyDisk(of: try await its.machine(1), to: try await its.otherName())
            #expect(try await provider.resources(ofRun: its.run).map(\.identifier) == [mine.disk.identifier])
            #expect(try await provider.resources(ofRun: its.run).map(\.kind) == [.repairCopy])
            #expect(
                try await its.ground.provider().resources(ofRun: its.otherRun).map(\.identifier)
                    == [theirs.disk.identifier])
            #expect(try await provider.resources(ofRun: "20240719-060000-none").isEmpty)
            try await provider.deleteCopy(named: its.copyName(machine))
            #expect(try await provider.resources(ofRun: its.run).isEmpty)
            #expect(try await provider.resources(ofRun: its.otherRun).count == 1)
        },
        Check("two runs on different machines at once do not touch each other's") { its in
            async let mine: Void = its.work(on: 0, run: its.run)
            async let theirs: Void = its.work(on: 1, run: its.otherRun)
            _ = try await (mine, theirs)
            for run in [its.run, its.otherRun] {
                #expect(try await its.ground.provider().resources(ofRun: run).map(\.kind) == [.repairCopy])
            }
        },
    ]

    static let bootChecks = [
        Check("the proof of a boot has a verdict, what was seen, and how long it took") { its in
            let machine = try await its.machine()
            let provider = try await its.ground.provider()
            try await provider.stop(machine)
            let proof = try await provider.startAndProveBoot(machine, consoleLog: its.ground.consoleLog)
            #expect(proof.verdict == .booted, "\(proof)")
            #expect(!proof.evidence.isEmpty && proof.seconds > 0)
            try await its.ground.provider().stop(machine)
        }
    ]

    private func otherName() async throws -> CopyName { copyName(try await machine(1), run: otherRun) }

    /// From the copy to the swap, and the rescue VM's end.
    private func work(on index: Int, run: String) async throws {
        let machine = try await machine(index)
        let provider = try await ground.provider()
        let copy = try await provider.copyDisk(of: machine, to: copyName(machine, run: run))
        let specification = try await specification([machine], run: run)
        let host = try await provider.createHost(specification)
        _ = try await provider.attach(copy, to: host)
        if ground.rescueGuestsLetGo { try await provider.detach(copy, from: host) }
        try await provider.deleteHost(named: specification.name)
        try await provider.stop(machine)
        _ = try await provider.swap(machine, to: copy)
        #expect(try await ground.disk(of: machine.name) == copy.disk.identifier)
    }
}
