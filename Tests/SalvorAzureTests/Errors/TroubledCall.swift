import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Testing

/// A call that the provider makes, the operation that makes it, and how the world looks around it.
struct TroubledCall: Sendable, CustomTestStringConvertible {
    var name: String
    var target: TroubledTransport.Target
    /// The emulator's pattern of the path.
    var path: String
    /// Of the work that the call begins; nil where it begins none.
    var verb: String?
    /// What the error's message names.
    var subject: String
    /// How often the operation makes the call where nothing goes wrong.
    var times = 1
    /// False for a call that only asks.
    var changes = true
    /// What the provider must find, with each row anew.
    var prepare: @Sendable (TroubledGround) async throws -> Void = { _ in }
    var operate: @Sendable (AzureProvider, TroubledGround) async throws -> Void
    /// Whether the operation's effect is there.
    var isDone: @Sendable (TroubledGround) async throws -> Bool
    /// Brings the world back for the next row.
    var undo: @Sendable (AzureProvider, TroubledGround) async throws -> Void = { _, _ in }

    var testDescription: String { name }

    init(
        _ name: String, _ method: String, _ part: String, verb: String? = nil, subject: String, times: Int = 1,
        changes: Bool = true,
        prepare: @escaping @Sendable (TroubledGround) async throws -> Void = { _ in },
        operate: @escaping @Sendable (AzureProvider, TroubledGround) async throws -> Void,
        isDone: @escaping @Sendable (TroubledGround) async throws -> Bool,
        undo: @escaping @Sendable (AzureProvider, TroubledGround) async throws -> Void = { _, _ in }
    ) {
        self.name = name
        target = .init(method: method, part: part.lowercased())
        // A query is no part of the path.
        path = part.hasSuffix("?") ? "*\(part.dropLast())" : "*\(part)*"
        self.verb = verb
        self.subject = subject
        self.times = times
        self.changes = changes
        self.prepare = prepare
        self.operate = operate
        self.isDone = isDone
        self.undo = undo
    }
}

/// One machine, one copy of its disk and one rescue VM.
struct TroubledGround: Sendable {
    static let name = CopyName(run: "20240719-060000-abcd", machine: "web/vm1")

    let ground: AzureGround
    let machine: Machine
    let copy: RepairCopy
    let host: RescueHost
    let imageDisk: String

    var azure: RunningAzure { ground.azure }

    init(_ ground: AzureGround) async throws {
        self.ground = ground
        try await ground.makeMachines(2)
        let provider = try ground.provider()
        machine = try await provider.machine(named: "web/vm1")
        copy = try await provider.copyDisk(of: machine, to: Self.name)
        let rescue = try await provider.machine(named: "web/vm2")
        host = RescueHost(name: HostName(run: Self.name.run, number: 1), identifier: rescue.definition)
        imageDisk = "resourceGroups/salvor-images/providers/Microsoft.Compute/disks"
    }

    func isThere(_ path: String) async throws -> Bool { try await azure("GET", path).status == 200 }

    func hostsDisks() async throws -> [String] {
        let disks = try await azure("GET", host.identifier).json["properties"]?["storageProfile"]?["dataDisks"]?.array
        return (disks ?? []).compactMap { $0["managedDisk"]?["id"]?.string?.lowercased() }
    }

    func hasCopy() async throws -> Bool {
        try await ground.osDisk(of: "vm1")?.lowercased() == copy.disk.identifier.lowercased()
    }

    /// The one thing that must hold whatever happens: the machine has its original disk or the copy.
    func diskIsOurs() async throws -> Bool {
        let disk = try await ground.osDisk(of: "vm1")?.lowercased()
        return disk == machine.osDisk.identifier.lowercased() || disk == copy.disk.identifier.lowercased()
    }

    func images() async throws -> [JSONValue] { try await azure("GET", imageDisk).json["value"]?.array ?? [] }
}
