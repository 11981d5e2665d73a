import SalvorCoordinatorCore
import Testing

extension Conformance {
    static let namingChecks = [
        Check("every machine can be named, and the list is sorted") { its in
            let provider = try await its.ground.provider()
            let names = try await provider.machines().map(\.name)
            #expect(names == names.sorted())
            for name in its.ground.machines {
                #expect(names.contains(name))
                #expect(try await provider.machine(named: name).name == name)
            }
        },
        Check("an unknown name is not found, and the error says what comes close") { its in
            let known = its.ground.machines[0]
            let error = try await its.expect(.notFound) {
                _ = try await its.ground.provider().machine(named: "\(known)x")
            }
            #expect(error?.message.contains(known) == true, "\(error.map { "\($0)" } ?? "")")
        },
        Check("preflight changes nothing") { its in
            let machine = try await its.machine()
            let before = try await its.ground.everything()
            let disk = try await its.ground.disk(of: machine.name)
            _ = try await its.ground.provider().preflight(machine)
            #expect(try await its.ground.everything() == before)
            #expect(try await its.ground.disk(of: machine.name) == disk)
        },
    ]
}
