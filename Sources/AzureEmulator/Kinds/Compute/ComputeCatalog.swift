internal import SalvorJSON

/// What Azure offers and nobody owns: sizes, quotas, images of the marketplace. Read below
/// `/subscriptions/{s}/providers/Microsoft.Compute`.
struct ComputeCatalog {
    struct Image {
        let publisher: String
        let offer: String
        let sku: String
        let version: String
        let system: String
        let generation: String
    }

    static let images = [
        Image(
            publisher: "MicrosoftWindowsServer", offer: "WindowsServer", sku: "2022-datacenter-g2",
            version: "20348.2529.240619", system: "Windows", generation: "V2"),
        Image(
            publisher: "MicrosoftWindowsServer", offer: "WindowsServer", sku: "2019-datacenter",
            version: "17763.5936.240607", system: "Windows", generation: "V1"),
        Image(
            publisher: "Debian", offer: "debian-12", sku: "12-gen2", version: "0.20240717.1811", system: "Linux",
            generation: "V2"),
        Image(
            publisher: "Canonical", offer: "ubuntu-24_04-lts", sku: "server", version: "24.04.202407160",
            system: "Linux", generation: "V2"),
    ]

    let subscription: ResourceID

    /// - Parameter path: below `Microsoft.Compute`, in lower case.
    /// - Returns: nil for a path that is none of the catalogue's.
    func read(_ path: [String], in state: EmulatorState) -> JSONValue? {
        switch path.first {
        case "skus" where path.count == 1:
            return list(Locations.all.flatMap { location in VMSize.all.map { sku($0, location) } })
        case "locations" where path.count >= 3: return read(path[1], Array(path.dropFirst(2)), in: state)
        default: return nil
        }
    }

    private func read(_ location: String, _ path: [String], in state: EmulatorState) -> JSONValue? {
        switch path {
        case ["vmsizes"]:
            return list(VMSize.all.map(\.json))
        case ["usages"]: return list(usages(location, in: state))
        default: return images(location, path)
        }
    }

    private func list(_ items: [JSONValue]) -> JSONValue { ["value": .array(items)] }

    private func sku(_ size: VMSize, _ location: Locations) -> JSONValue {
        func capability(_ name: String, _ value: String) -> JSONValue {
            ["name": .string(name), "value": .string(value)]
        }
        return [
            "resourceType": "virtualMachines", "name": .string(size.name), "tier": "Standard",
            "size": .string(String(size.name.dropFirst("Standard_".count))), "family": "standardDSv5Family",
            "locations": [.string(location.displayName.filter { $0 != " " })],
            "locationInfo": [
                ["location": .string(location.displayName.filter { $0 != " " }), "zones": ["1", "2", "3"]]
            ],
            "capabilities": [
                capability("vCPUs", "\(size.cores)"), capability("MemoryGB", "\(size.memoryMiB / 1024)"),
                capability("MaxDataDiskCount", "\(size.mostDataDisks)"), capability("HyperVGenerations", "V1,V2"),
                capability("PremiumIO", "True"), capability("CpuArchitectureType", "x64"),
            ], "restrictions": [],
        ]
    }

    private func usages(_ location: String, in state: EmulatorState) -> [JSONValue] {
        let machines = state.list("Microsoft.Compute/virtualMachines", in: subscription).filter {
            $0.body["location"]?.string == location
        }
        let cores = machines.reduce(Int64(0)) { sum, machine in
            let name = machine.body[path: "properties.hardwareProfile.vmSize"]?.string?.lowercased()
            return sum + (VMSize.all.first { $0.name.lowercased() == name }?.cores ?? 0)
        }
        func usage(_ name: String, _ text: String, _ value: Int64, _ limit: Int64) -> JSONValue {
            [
                "unit": "Count", "currentValue": .integer(value), "limit": .integer(limit),
                "name": ["value": .string(name), "localizedValue": .string(text)],
            ]
        }
        return [
            usage("cores", "Total Regional vCPUs", cores, 10_000),
            usage("virtualMachines", "Virtual Machines", Int64(machines.count), 25_000),
            usage("standardDSv5Family", "Standard DSv5 Family vCPUs", cores, 10_000),
        ]
    }

    /// `publishers/{p}/artifacttypes/vmimage/offers/{o}/skus/{s}/versions[/{v}]`, each list on the way.
    private func images(_ location: String, _ path: [String]) -> JSONValue? {
        let names = ["publishers", "artifacttypes", "offers", "skus", "versions"]
        guard !path.isEmpty, path.count <= 10,
            stride(from: 0, to: path.count, by: 2).allSatisfy({ path[$0] == names[$0 / 2] })
        else { return nil }
        let given = stride(from: 1, to: path.count, by: 2).map { path[$0] }
        let found = Self.images.filter { image in
            zip(given, [image.publisher, "vmimage", image.offer, image.sku, image.version]).allSatisfy {
                $0 == $1.lowercased()
            }
        }
        let base = "\(subscription)/providers/Microsoft.Compute/locations/\(location)"
        if given.count == 5 {
            return found.first.map { image in
                [
                    "location": .string(location), "name": .string(image.version),
                    "id": .string(
                        "\(base)/publishers/\(image.publisher)/artifacttypes/vmimage/offers/\(image.offer)/skus/\(image.sku)"
                            + "/versions/\(image.version)"),
                    "properties": [
                        "osDiskImage": [
                            "operatingSystem": .string(image.system), "sizeInGb": image.system == "Windows" ? 127 : 30,
                        ], "dataDiskImages": [], "hyperVGeneration": .string(image.generation), "architecture": "x64",
                    ],
                ]
            }
        }
        let level = path.count / 2
        var seen: Set<String> = []
        return .array(
            found.compactMap { image -> JSONValue? in
                let name = [image.publisher, "vmimage", image.offer, image.sku, image.version][level]
                guard seen.insert(name).inserted else { return nil }
                return ["location": .string(location), "name": .string(name), "id": .string("\(base)/\(name)")]
            })
    }
}
