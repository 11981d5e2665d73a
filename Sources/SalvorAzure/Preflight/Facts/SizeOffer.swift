internal import SalvorJSON

/// A size of machines as a location has it: an entry of `Microsoft.Compute/skus`.
struct SizeOffer: Hashable, Sendable {
    struct Restriction: Hashable, Sendable {
        /// `Location` or `Zone`.
        var type: String
        /// `NotAvailableForSubscription`, `QuotaId`.
        var reason: String
        var zones: [String]
    }

    var name: String
    /// What its cores are counted under: `standardDSv5Family`.
    var family: String
    var zones: [String]
    var capabilities: [String: String]
    var restrictions: [Restriction]

    var cores: Int { capabilities["vCPUs"].flatMap { Int($0) } ?? 0 }
    var maxDataDisks: Int { capabilities["MaxDataDiskCount"].flatMap { Int($0) } ?? 0 }
    var hasPremiumDisks: Bool { capabilities["PremiumIO"]?.lowercased() == "true" }
    /// Absent for sizes of old, which are x64.
    var isX64: Bool { (capabilities["CpuArchitectureType"] ?? "x64").lowercased() == "x64" }

    /// - Parameter generation: `V1` or `V2`.
    func boots(_ generation: String) -> Bool {
        let list = capabilities["HyperVGenerations"] ?? "V1"
        return list.split(separator: ",").contains { $0.filter { $0 != " " }.lowercased() == generation.lowercased() }
    }

    /// - Returns: nil for what is no size of machines.
    init?(_ json: JSONValue, location: String) {
        guard json["resourceType"]?.string?.lowercased() == "virtualmachines", let name = json["name"]?.string else {
            return nil
        }
        self.name = name
        family = json["family"]?.string ?? ""
        let place = (json["locationInfo"]?.array ?? []).first {
            $0["location"]?.string?.lowercased() == location.lowercased()
        }
        zones = place?.texts("zones") ?? []
        capabilities = [:]
        for capability in json["capabilities"]?.array ?? [] {
            if let name = capability["name"]?.string { capabilities[name] = capability["value"]?.string }
        }
        restrictions = (json["restrictions"]?.array ?? []).map { restriction in
            Restriction(
                type: restriction["type"]?.string ?? "", reason: restriction["reasonCode"]?.string ?? "",
                zones: restriction["restrictionInfo"]?.texts("zones") ?? [])
        }
    }
}
