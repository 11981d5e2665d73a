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
    let offer: ComputeOffer

    /// - Parameter path: below `Microsoft.Compute`, in lower case.
    /// - Returns: nil for a path that is none of the catalogue's.
    /// - Throws: for a filter that cannot be read.
    func read(_ path: [String], filter: String?, in state: EmulatorState) throws(ARMError) -> JSONValue? {
        switch path.first {
        case "skus" where path.count == 1:
            let filter = try filter.flatMap { (text) throws(ARMError) in text.isEmpty ? nil : try ODataFilter(text) }
            let locations = Locations.all.filter { location in
                filter?.matches { $0 == "location" ? [location.name] : [] } ?? true
            }
            return list(locations.flatMap { location in VMSize.all.map { sku($0, location) } })
        case "locations" where path.count >= 3: return read(path[1], Array(path.dropFirst(2)), in: state)
        default: return nil
        }
    }

    private func read(_ location: String, _ path: [String], in state: EmulatorState) -> JSONValue? {
        switch path {
        case ["vmsizes"]:
            return list(VMSize.all.map(\.json))
        case ["usages"]:
            guard Locations.all.contains(where: { $0.name == location }) else { return nil }
            return list(usages(location, in: state))
        default: return images(location, path)
        }
    }

    private func list(_ items: [JSONValue]) -> JSONValue { ["value": .array(items)] }

    private func sku(_ size: VMSize, _ location: Locations) -> JSONValue {
        func capability(_ name: String, _ value: String) -> JSONValue {
            ["name": .string(name), "value": .string(value)]
        }
        let place = JSONValue.string(location.displayName.filter { $0 != " " })
        return [
            "resourceType": "virtualMachines", "name": .string(size.name), "tier": "Standard",
            "size": .string(String(size.name.dropFirst("Standard_".count))), "family": .string(size.family),
            "locations": [place],
            "locationInfo": [["location": place, "zones": ["1", "2", "3"], "zoneDetails": []]],
            "capabilities": [
                capability("vCPUs", "\(size.cores)"), capability("MemoryGB", memory(size)),
                capability("MaxDataDiskCount", "\(size.mostDataDisks)"), capability("HyperVGenerations", "V1,V2"),
                capability("PremiumIO", "True"), capability("CpuArchitectureType", "x64"),
                capability("vCPUsAvailable", "\(size.cores)"), capability("EncryptionAtHostSupported", "True"),
                capability("AcceleratedNetworkingEnabled", "True"), capability("RdmaEnabled", "False"),
                capability("MaxNetworkInterfaces", "\(min(8, max(2, size.cores / 2)))"),
            ], "restrictions": .array(restrictions(of: size, in: location)),
        ]
    }

    private func memory(_ size: VMSize) -> String {
        size.memoryMiB % 1024 == 0 ? "\(size.memoryMiB / 1024)" : "\(Double(size.memoryMiB) / 1024)"
    }

    private func restrictions(of size: VMSize, in location: Locations) -> [JSONValue] {
        let found = offer.restrictions(of: size, in: location.name)
        let place = JSONValue.string(location.displayName.filter { $0 != " " })
        func restriction(_ type: String, _ zones: [String]) -> JSONValue {
            var info: JSONValue = ["locations": [place]]
            if !zones.isEmpty { info[path: "zones"] = .array(zones.map { .string($0) }) }
            return [
                "type": .string(type), "reasonCode": "NotAvailableForSubscription", "restrictionInfo": info,
                "values": [place],
            ]
        }
        let zones = found.compactMap(\.zone).sorted()
        return (found.contains { $0.zone == nil } ? [restriction("Location", [])] : [])
            + (zones.isEmpty ? [] : [restriction("Zone", zones)])
    }

    private func usages(_ location: String, in state: EmulatorState) -> [JSONValue] {
        let quota = ComputeQuota(subscription: subscription, location: location, offer: offer)
        func usage(_ name: String, _ text: String, _ value: Int64, _ limit: Int64) -> JSONValue {
            [
                "unit": "Count", "currentValue": .integer(value), "limit": .integer(limit),
                "name": ["value": .string(name), "localizedValue": .string(text)],
            ]
        }
        let families = Set(VMSize.all.map(\.family)).sorted()
        return [
            usage("cores", "Total Regional vCPUs", quota.used(in: state), offer.coreLimit(of: "cores")),
            usage("virtualMachines", "Virtual Machines", Int64(quota.machines(in: state).count), 25_000),
        ]
            + families.map { family in
                let name = family.dropFirst("standard".count).dropLast("Family".count)
                return usage(
                    family, "Standard \(name) Family vCPUs", quota.used(family, in: state), offer.coreLimit(of: family))
            }
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
