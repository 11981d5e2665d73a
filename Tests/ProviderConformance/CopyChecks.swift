import SalvorCoordinatorCore
import Testing

extension Conformance {
    static let copyChecks = [
        Check("a copy made twice is one copy, also from another process") { its in
            let machine = try await its.machine()
            let before = try await its.ground.everything()
            let provider = try await its.ground.provider()
            let copy = try await provider.copyDisk(of: machine, to: its.copyName(machine))
            #expect(try await provider.copyDisk(of: machine, to: its.copyName(machine)) == copy)
            #expect(
                try await its.ground.provider().copyDisk(of: machine, to: its.copyName(machine)) == copy)
            #expect(try await its.ground.everything().subtracting(before).count == 1)
            #expect(copy.disk.identifier != machine.osDisk.identifier)
            #expect(try await its.ground.disk(of: machine.name) == machine.osDisk.identifier)
        },
        Check("a copy is deleted once, and deleting what is not there succeeds") { its in
            let machine = try await its.machine()
            let before = try await its.ground.everything()
            let provider = try await its.ground.provider()
            try await provider.deleteCopy(named: its.copyName(machine))
            _ = try await provider.copyDisk(of: machine, to: its.copyName(machine))
            for _ in 1...2 { try await provider.deleteCopy(named: its.copyName(machine)) }
            try await its.ground.provider().deleteCopy(named: its.copyName(machine))
            #expect(try await its.ground.everything() == before)
        },
        Check("a copy that a machine uses is not deleted") { its in
            let machine = try await its.machine()
            let provider = try await its.ground.provider()
            let copy = try await provider.copyDisk(of: machine, to: its.copyName(machine))
            try await provider.stop(machine)
            _ = try await provider.swap(machine, to: copy)
            _ = try await its.expect(.conflict) {
                try await its.ground.provider().deleteCopy(named: its.copyName(machine))
            }
            #expect(try await its.ground.disk(of: machine.name) == copy.disk.identifier)
            #expect(try await provider.resources(ofRun: its.run).map(\.identifier) == [copy.disk.identifier])
        },
    ]
}
