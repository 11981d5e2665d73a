import SalvorCoordinatorCore
import Testing

extension Conformance {
    static let hostChecks = [
        Check("a rescue VM made twice is one, also from another process, and ends as often as it is asked") { its in
            let machine = try await its.machine()
            let before = try await its.ground.everything()
            let specification = try await its.specification([machine])
            var provider: (any Provider)? = try await its.ground.provider()
            let host = try await provider?.createHost(specification)
            #expect(try await provider?.createHost(specification) == host)
            let made = try await its.ground.everything()
            provider = nil
            #expect(try await its.ground.provider().createHost(specification) == host)
            #expect(try await its.ground.everything() == made)
            for _ in 1...2 { try await its.ground.provider().deleteHost(named: specification.name) }
            #expect(try await its.ground.everything() == before)
            #expect(try await its.ground.provider().resources(ofRun: its.run).isEmpty)
        },
        Check("a copy attached twice has one address, and is detached as often as it is asked") { its in
            let machine = try await its.machine()
            let provider = try await its.ground.provider()
            let copy = try await provider.copyDisk(of: machine, to: its.copyName(machine))
            let specification = try await its.specification([machine])
            let host = try await provider.createHost(specification)
            let address = try await provider.attach(copy, to: host)
            #expect(try await provider.attach(copy, to: host) == address)
            if its.ground.rescueGuestsLetGo {
                for _ in 1...2 { try await provider.detach(copy, from: host) }
            }
            try await provider.deleteHost(named: specification.name)
            try await provider.detach(copy, from: host)
            try await provider.deleteCopy(named: its.copyName(machine))
            #expect(try await provider.resources(ofRun: its.run).isEmpty)
        },
        Check("copies of two machines on one rescue VM have addresses of their own") { its in
            let provider = try await its.ground.provider()
            var copies: [RepairCopy] = []
            let machines = [try await its.machine(0), try await its.machine(1)]
            for machine in machines {
                copies.append(try await provider.copyDisk(of: machine, to: its.copyName(machine)))
            }
            let specification = try await its.specification(machines)
            let host = try await provider.createHost(specification)
            async let first = provider.attach(copies[0], to: host)
            async let second = provider.attach(copies[1], to: host)
            #expect(try await first != second)
            try await provider.deleteHost(named: specification.name)
        },
        Check("a rescue VM that is ended lets go of its copies") { its in
            let machine = try await its.machine()
            let provider = try await its.ground.provider()
            let copy = try await provider.copyDisk(of: machine, to: its.copyName(machine))
            let specification = try await its.specification([machine])
            let host = try await provider.createHost(specification)
            _ = try await provider.attach(copy, to: host)
            if provider.retiringFreesCopies {
                for _ in 1...2 { try await provider.retireHost(named: specification.name) }
                try await provider.detach(copy, from: host)
            }
            try await its.ground.provider().deleteHost(named: specification.name)
            #expect(try await provider.resources(ofRun: its.run).map(\.identifier) == [copy.disk.identifier])
            try await provider.stop(machine)
            _ = try await provider.swap(machine, to: copy)
            #expect(try await its.ground.disk(of: machine.name) == copy.disk.identifier)
        },
    ]
}
