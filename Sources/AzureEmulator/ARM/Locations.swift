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

    func json(_ subscription: ResourceID) -> JSONValue {
        [
            "id": .string("\(subscription)/locations/\(name)"), "name": .string(name),
            "displayName": .string(displayName),
            "regionalDisplayName": .string(displayName), "type": "Region", "metadata": ["regionType": "Physical"],
        ]
    }
}
