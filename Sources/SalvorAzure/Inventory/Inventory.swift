internal import SalvorCoordinatorCore
internal import SalvorJSON

/// The virtual machines of a subscription, or of one of its resource groups.
package struct Inventory: Sendable {
    package let client: ARMClient
    package let subscription: String
    /// Where names without a group are looked up; nil for the whole subscription.
    package let group: String?
    /// Ids of all machines: only to find a machine by its name, never for what it is like now.
    private let ids = Once<ResourceID, [ResourceID]>()

    package init(_ client: ARMClient, subscription: String, group: String? = nil) {
        self.client = client
        self.subscription = subscription
        self.group = group
    }

    private var scope: ResourceID {
        group.map { .group($0, subscription: subscription) } ?? .subscription(subscription)
    }

    /// All machines with their power and agent, by one list of what they are and one of how they are. Without their disks.
    /// - Returns: sorted by name, then by group; Linux among them.
    package func machines() async throws(AzureError) -> [BrokenVM] {
        async let listed = Result.of { [client, list] () throws(AzureError) in try await client.list(list, .compute) }
        // Lists of a group cannot be had with states: those of the subscription can.
        async let states = Result.of { [client, subscription] () throws(AzureError) in
            try await client.list(
                "\(ResourceID.subscription(subscription))/providers/\(Self.type)", .compute,
                query: ["statusOnly": "true"])
        }
        var views: [ResourceID: JSONValue] = [:]
        for state in try await states.get() {
            if let id = state.id("id") { views[id] = state["properties"]?["instanceView"] }
        }
        var found: [BrokenVM] = []
        for json in try await listed.get() {
            found.append(try BrokenVM(json, view: json.id("id").flatMap { views[$0] }))
        }
        return found.sorted { ($0.name, $0.resourceGroup) < ($1.name, $1.resourceGroup) }
    }

    /// - Parameter name: NAME, GROUP/NAME, or a whole resource id.
    /// - Throws: ``AzureError/Code/notFound`` with the names that come close; ``AzureError/Code/badSetting`` where several
    ///   machines have that name.
    package func machine(named name: String) async throws(AzureError) -> BrokenVM {
        try await machine(try await id(named: name))
    }

    /// The machine and its OS disk, as they are now.
    package func machine(_ id: ResourceID) async throws(AzureError) -> BrokenVM {
        guard let json = try await client.find(id.text, .compute, query: ["$expand": "instanceView"]) else {
            throw await missing(id.name, group: id.resourceGroup)
        }
        var machine = try BrokenVM(json)
        if let disk = machine.osDisk.id, !machine.osDisk.isEphemeral {
            machine.disk = try await client.find(disk.text, .disks).map { (json) throws(AzureError) in
                try ManagedDisk(json)
            }
        }
        return machine
    }

    /// Where the primary interface of a machine is: a rescue VM there reaches what the machine reaches.
    /// - Returns: nil for a machine without an interface.
    package func subnet(of machine: BrokenVM) async throws(AzureError) -> ResourceID? {
        guard let interface = machine.networkInterfaces.first else { return nil }
        let json = try await client.get(interface.text, .network)
        let configurations = json["properties"]?["ipConfigurations"]?.array ?? []
        let primary = configurations.first { $0["properties"]?["primary"]?.bool == true } ?? configurations.first
        return primary?["properties"]?["subnet"]?.id("id")
    }

    static let type = "Microsoft.Compute/virtualMachines"

    private var list: String { "\(scope)/providers/\(Self.type)" }
}

extension Inventory {
    private func id(named name: String) async throws(AzureError) -> ResourceID {
        if name.hasPrefix("/") {
            guard let id = ResourceID(name), id.type?.lowercased() == Self.type.lowercased() else {
                throw AzureError(
                    .badSetting, "“\(name)” is no resource id of a virtual machine.",
                    nextStep:
                        "Name /subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachines/NAME, GROUP/NAME, "
                        + "or NAME.")
            }
            return id
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, !parts.contains(""), parts.allSatisfy(Self.isName) else {
            throw AzureError(
                .badSetting, "“\(name)” cannot be the name of a virtual machine.",
                nextStep: "Name NAME, GROUP/NAME, or a whole resource id.")
        }
        if let group = parts.count == 2 ? parts[0] : group {
            return .group(group, subscription: subscription).appending(Self.type, parts[parts.count - 1])
        }
        return try await onlyOne(named: name)
    }

    /// Azure's names of machines and groups: letters, digits, `-`, `_`, `.`, `(`, `)`.
    private static func isName(_ text: String) -> Bool {
        text.count <= 90 && text.allSatisfy { $0.isLetter || $0.isNumber || "-_.()".contains($0) }
    }

    private func onlyOne(named name: String) async throws(AzureError) -> ResourceID {
        var found = try await known().filter { $0.name.lowercased() == name.lowercased() }
        if found.isEmpty {
            // It may have been made since the list was.
            await ids.forget(scope)
            found = try await known().filter { $0.name.lowercased() == name.lowercased() }
        }
        guard let first = found.first else { throw await missing(name, group: nil) }
        guard found.count == 1 else {
            let names = found.map { "\($0.resourceGroup ?? "")/\(first.name)" }.sorted().joined(separator: ", ")
            throw AzureError(
                .badSetting, "\(found.count) virtual machines are called “\(name)”: \(names).",
                nextStep: "Name it with its group, GROUP/NAME.")
        }
        return first
    }

    private func known() async throws(AzureError) -> [ResourceID] {
        try await ids.value(scope) { [client, list] () throws(AzureError) in
            try await client.list(list, .compute).compactMap { $0.id("id") }
        }
    }

    /// What to say where no machine is called so: the names that come close, as far as they can be had.
    private func missing(_ name: String, group: String?) async -> AzureError {
        let all = (try? await known()) ?? []
        var byName: [String: ResourceID] = [:]
        for id in all { byName[id.name] = id }
        let here = group.map { "in group “\($0)”" } ?? "in subscription \(subscription)"
        // The same name in another group comes closest.
        let elsewhere = all.filter { $0.name.lowercased() == name.lowercased() }
        let close = elsewhere.isEmpty ? Spelling.candidates(for: name, among: byName.keys.sorted()) : []
        let ids = (elsewhere + close.compactMap { byName[$0] }).prefix(3)
        let names = ids.map { "\($0.resourceGroup ?? "")/\($0.name)" }.joined(separator: " or ")
        return AzureError(
            .notFound,
            "There is no virtual machine “\(name)” \(here).\(names.isEmpty ? "" : " Did you mean \(names)?")",
            nextStep: "Check its name, its resource group (-g) and the subscription (--subscription).")
    }
}
