internal import SalvorJSON

/// The regions that the emulator has.
struct Locations {
    let name: String
    let displayName: String

    static let standard = "westeurope"
    static let all = [
        Locations(name: "westeurope", displayName: "West Europe"),
        Locations(name: "northeurope", displayName: "North Europe"),
        Locations(name: "eastus", displayName: "East US"),
    ]

    /// `westeurope` for `West Europe`.
    static func plain(_ text: String) -> String { text.lowercased().filter { $0 != " " } }

    func json(_ subscription: ResourceID) -> JSONValue {
        [
            "id": .string("\(subscription)/locations/\(name)"), "name": .string(name),
            "displayName": .string(displayName),
            "regionalDisplayName": .string(displayName), "type": "Region", "metadata": ["regionType": "Physical"],
        ]
    }
}

extension EmulatorState {
    /// Where a resource is, or else what it is a child of, or its group.
    func location(of id: ResourceID) -> String? {
        var next: ResourceID? = id
        while let current = next {
            if let location = self[current]?.body["location"]?.string { return location }
            next = current.parent
        }
        return id.group.flatMap { self[$0]?.body["location"]?.string }
    }
}
