internal import SalvorJSON

/// How much of a quota is used: an entry of `…/locations/{l}/usages`.
struct CoreUsage: Hashable, Sendable {
    /// `cores`, `standardDSv5Family`, `virtualMachines`, ….
    var name: String
    /// For people.
    var title: String
    var used: Int64
    var limit: Int64

    var left: Int64 { limit - used }

    init?(_ json: JSONValue) {
        guard let name = json["name"]?["value"]?.string, let used = json["currentValue"]?.integer,
            let limit = json["limit"]?.integer
        else { return nil }
        self.name = name
        title = json["name"]?["localizedValue"]?.string ?? name
        self.used = used
        self.limit = limit
    }
}
