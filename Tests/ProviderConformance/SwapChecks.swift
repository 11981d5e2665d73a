import SalvorCoordinatorCore
import Testing

extension Conformance {
    static let swapChecks = [
        Check("a machine is stopped as often as it is asked") { its in
            let machine = try await its.machine()
            let provider = try await its.ground.provider()
            for _ in 1...2 { try await provider.stop(machine) }
            try await its.ground.provider().stop(machine)
        },
        Check("a swap made twice is one swap, and is undone as often as it is asked") { its in
            let machine = try await its.machine()
            let provider = try await its.ground.provider()
            let copy = try await provider.copyDisk(of: machine, to: its.copyName(machine))
            try await provider.stop(machine)
            let swap = try await provider.swap(machine, to: copy)
            #expect(swap.original == machine.osDisk && swap.repaired.identifier == copy.disk.identifier)
            #expect(try await its.ground.disk(of: machine.name) == copy.disk.identifier)
            #expect(try await its.ground.provider().swap(machine, to: copy) == swap)
            #expect(try await its.ground.disk(of: machine.name) == copy.disk.identifier)
            for _ in 1...2 { try await its.ground.provider().swapBack(swap) }
            #expect(try await its.ground.disk(of: machine.name) == machine.osDisk.identifier)
            try await its.ground.provider().deleteCopy(named: its.copyName(machine))
        },
        Check("a disk that somebody else gave the machine is left where it is") { its in
            let machine = try await its.machine()
            let provider = try await its.ground.provider()
            let copy = try await provider.copyDisk(of: machine, to: its.copyName(machine))
            try await provider.stop(machine)
            let swap = try await provider.swap(machine, to: copy)
            try await provider.swapBack(swap)
            try await its.ground.giveStrangersDisk(to: machine.name)
            let strangers = try await its.ground.disk(of: machine.name)
            #expect(strangers != machine.osDisk.identifier && strangers != copy.disk.identifier)
            _ = try await its.expect(.conflict) { _ = try await provider.swap(machine, to: copy) }
            _ = try await its.expect(.conflict) { try await provider.swapBack(swap) }
            #expect(try await its.ground.disk(of: machine.name) == strangers)
        },
    ]
}
